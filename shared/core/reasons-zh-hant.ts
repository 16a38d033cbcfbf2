import type {
  AmountProblem,
  Booking,
  ErpOperation,
  ErpRefusal,
  EventProblem,
  LineLabel,
  OrderChange,
  ReasonParams,
  TooLate,
  Wording,
} from './reasons.ts';

// Traditional Chinese as written in Taiwan. What stays as it is: SKUs, codes, names of connections, documents,
// fields and settings, and the ERP's own words.

const line = (label: LineLabel): string => {
  switch (label.kind) {
    case 'line':
      return `第 ${label.number} 項「${label.title}」`;
    case 'discount':
      return '折扣項目';
    default:
      return `${PURPOSES[label.kind]}項目「${label.title}」`;
  }
};
const PURPOSES = {
  shipping: '運費',
  fee: '附加費用',
  duty: '關稅',
  tip: '小費',
  discount: '折扣',
  rounding: '尾差',
} as const;

const operation = (asked: ErpOperation): string => {
  switch (asked.what) {
    case 'confirm-order':
      return `確認訂單 ${asked.document}`;
    case 'restore-order-date':
      return `還原 ${asked.document} 的訂單日期`;
    case 'change-order':
      return `變更訂單 ${asked.document}`;
    case 'cancel-order':
      return `取消訂單 ${asked.document}`;
    case 'post-credit-note':
      return `過帳折讓單 ${asked.document}`;
    case 'post-payment':
      return `過帳收付款 ${asked.document}`;
    case 'use-collective-customer':
      return `將訂單記在共用客戶「${asked.reference}」名下`;
    case 'read':
      return `讀取 ${asked.model}`;
    default:
      return OPERATIONS[asked.what];
  }
};
const OPERATIONS = {
  'log-in': '登入',
  'create-order': '建立訂單',
  'rewrite-draft': '重新寫入草稿的項目',
  'book-rounding': '將尾差入帳',
  'note-payment-pending': '註記尚未付款',
  'create-customer': '建立客戶',
  'create-delivery-address': '建立送貨地址',
  'create-invoice-address': '建立帳單地址',
  'create-credit-note': '建立折讓單',
  'create-payment': '建立收付款紀錄',
  'adjust-stock': '調整庫存',
} as const;

const refusal = (error: ErpRefusal): string => {
  switch (error.why) {
    case 'words':
      return error.words;
    case 'record-missing':
      return `${error.model} 的某筆記錄不存在或已被刪除（${error.exception}）`;
    case 'constraint':
      return `${error.model} 的欄位 ${error.field} 不符合限制條件（${error.exception}）`;
    case 'reference-shared':
      return `有 ${error.count} 個客戶使用這個參考編號，只能有一個`;
    case 'reference-unknown':
      return '沒有啟用中的客戶使用這個參考編號';
    case 'asked-a-question':
      return '它沒有執行，而是提出了問題（已安裝模組的精靈視窗）';
    case 'tax-number-invalid':
      return '買方的統一編號（稅籍編號）不符合帳單地址所在國家的規則';
  }
};

const amounts = (problem: AmountProblem): string => {
  switch (problem.kind) {
    case 'two-currencies':
      return `${problem.one} 與 ${problem.other} 不能相加`;
    case 'unknown-currency':
      return `「${problem.currency}」不是 ISO 4217 幣別`;
    case 'too-large':
      return '合計金額過大';
  }
};

const event = (problem: EventProblem): string => {
  switch (problem.kind) {
    case 'not-json':
      return '內容不是 JSON';
    case 'other-event':
      return `收到的是 ${problem.got}，而不是 ${problem.wanted}`;
    case 'fields':
      return problem.fields;
  }
};

const CHANGES: Readonly<Record<OrderChange, string>> = {
  edited: '被修改',
  cancelled: '被取消',
  failed: '被標示為失敗',
  refunded: '已全額退款',
  'refunded-in-part': '已部分退款',
  reopened: '被重新開啟',
};

const TOO_LATE: Readonly<Record<TooLate, string>> = {
  delivered: '貨品已交付',
  invoiced: '已開立發票',
  locked: '單據已鎖定',
  cancelled: '單據已取消',
};

const BOOKINGS: Readonly<Record<Booking, string>> = { 'credit-note': '退款的折讓單', payment: '收付款' };

/** Codes of what was tried again until the attempts were used up. */
const RETRIED: Readonly<Record<string, string>> = {
  PEER_BUSY: '對方系統忙碌中',
  PEER_FAILED: '對方系統發生錯誤',
  PEER_TIMEOUT: '對方系統未在時限內回應',
  PEER_UNREACHABLE: '無法連線到對方系統',
  PEER_DISCONNECTED: '對方系統未回應就中斷連線',
  RATE_LIMITED: '對方系統限制了請求頻率',
  UNEXPECTED_ANSWER: '對方系統的回應無法解讀',
  ANSWER_NOT_UNDERSTOOD: '對方系統的回應無法解讀',
  UNEXPECTED_STATUS: '對方系統回應了非預期的狀態碼',
  ENDPOINT_GONE: '對方系統沒有這個 API 位址，或沒有這個資料庫',
  CREDENTIALS_REFUSED: '對方系統拒絕了登入憑證',
  CREDENTIALS_MISSING: '尚未設定登入憑證',
  SECRET_MISSING: '尚未設定登入憑證',
  SECRET_MALFORMED: '登入憑證的格式不正確',
  DATABASE_FAILED: '對方系統的資料庫發生問題',
  DATABASE_UNAVAILABLE: '對方系統的資料庫不存在',
  MAPPINGS_THROTTLED: '對照表暫時無法讀取',
  CUT_OFF: '處理時間超過上限',
};

export const traditionalChinese: Wording = {
  line,
  operation,
  reasons: {
    UNKNOWN_SKU: (p) => ({
      reason: `${line(p.line)}的 SKU「${p.sku}」在 ${p.destination} 中沒有對應的商品。`,
      remedy: `請在 ${p.destination} 建立使用這個 SKU 的商品，或在對照表新增一列「sku, ${p.sku}」，然後重送。`,
    }),
    MISSING_SKU: (p) => ({
      reason: `${line(p.line)}沒有 SKU，該商品在對照表中也沒有對應的列。`,
      remedy: '請在商店為該商品設定 SKU，或在對照表中以商品編號（「product:<編號>」）建立對應，然後重送。',
    }),
    AMBIGUOUS_SKU: (p) => ({
      reason: `${line(p.line)}的 SKU「${p.sku}」在 ${p.destination} 中同時屬於 ${p.count} 個商品。`,
      remedy: `請在 ${p.destination} 中只讓一個商品保留這個 SKU，然後重送。`,
    }),
    ARCHIVED_SKU: (p) => ({
      reason: `${line(p.line)}的 SKU「${p.sku}」在 ${p.destination} 中的商品已封存。`,
      remedy: `請在 ${p.destination} 取消封存該商品，或在對照表中將這個 SKU 對應到後繼商品，然後重送。`,
    }),
    UNMAPPED_TAX: (p) => ({
      reason: `${line(p.line)}使用 ${p.source} 的稅別「${p.tax}」，在 ${p.destination} 中尚無對應的稅別。`,
      remedy: `請在對照表新增一列「tax, ${p.source}, ${p.destination}, ${p.tax}, <稅別名稱或編號>」，然後重送。`,
    }),
    UNKNOWN_TAX: (p) => ({
      reason: `對照表將稅別「${p.tax}」對應到「${p.to}」，但 ${p.destination} 沒有這個銷售稅別。`,
      remedy: '請更正該列（名稱必須完全相符，或使用「id:<編號>」），然後重送。',
    }),
    UNMAPPED_CURRENCY: (p) => ({
      reason: `訂單的幣別是 ${p.currency}，${p.destination} 無法入帳：該幣別未啟用或沒有價目表。`,
      remedy: `請在 ${p.destination} 啟用 ${p.currency} 並建立該幣別的價目表，然後重送。`,
    }),
    UNKNOWN_COMPANY: (p) => ({
      reason: `路由指定記在${p.company === undefined ? ' API 使用者所屬的公司' : `公司「${p.company}」`}，但該公司在 ${p.destination} 中不存在，或我們的使用者無權存取。`,
      remedy: '請更正設定中該路由的「company」，或授予使用者存取權限，然後重送。',
    }),
    UNKNOWN_WAREHOUSE: (p) => ({
      reason: `路由指定由倉庫「${p.warehouse}」出貨，但該倉庫在 ${p.destination} 中不存在。`,
      remedy: '請更正設定中該路由的「warehouse」，然後重送。',
    }),
    UNKNOWN_PRICELIST: (p) => ({
      reason: `價格取自價目表「${p.pricelist}」，但 ${p.destination} 中沒有完全同名的價目表，或有兩個。`,
      remedy: '請更正設定中該庫存路由的價目表名稱，或更正該處的名稱；下次輪詢即會讀取。',
    }),
    UNKNOWN_COUNTRY: (p) => ({
      reason: `地址中的國家「${p.country}」在 ${p.destination} 中不存在。`,
      remedy: `請在商店更正地址，或在 ${p.destination} 新增該國家，然後重送。`,
    }),
    UNKNOWN_PAYMENT_TERM: (p) => ({
      reason: `對照表將付款方式「${p.method}」對應到「${p.to}」，但 ${p.destination} 沒有這個付款條件。`,
      remedy: '請更正該列（名稱必須完全相符，或使用「id:<編號>」），然後重送。',
    }),
    UNKNOWN_PAYMENT_JOURNAL: (p) => ({
      reason: `訂單已在 ${p.destination} 中，但款項尚未入帳：${
        p.to === undefined
          ? `對照表中沒有 ${p.source} 付款方式「${p.method}」對應的日記帳`
          : `對照表將 ${p.source} 的付款方式「${p.method}」對應到日記帳「${p.to}」，但 ${p.destination} 無法在其中記錄款項`
      }。`,
      remedy: `請在對照表${p.to === undefined ? '新增' : '更正'}「journal, ${p.source}, ${p.destination}, ${p.method}, <日記帳代碼或名稱>」一列，然後重送。`,
    }),
    MISSING_SERVICE_PRODUCT: (p) => ({
      reason: `訂單含有${PURPOSES[p.purpose]}項目，但 ${p.destination} 中沒有 SKU 為「${p.sku}」的商品可供入帳。`,
      remedy: `請在 ${p.destination} 建立 SKU 為「${p.sku}」的服務類商品，或在連線設定中指定其他商品，然後重送。`,
    }),
    TOTALS_DO_NOT_ADD_UP: (p) => ({
      reason: `商店顯示訂單金額為 ${p.stated}，但各項商品、運費、附加費用與稅額合計為 ${p.computed}：有 ${p.difference} 無法解釋。`,
      remedy:
        '請在商店檢查這筆訂單：可能有外掛程式加上了沒有列在任何項目中的金額。請在商店更正，下一次更新就會自動處理。',
    }),
    AMOUNTS_UNUSABLE: (p) => ({
      reason: `訂單的金額無法加總：${amounts(p.problem)}。`,
      remedy:
        '請在商店檢查這筆訂單：所有金額必須使用同一種 ISO 4217 幣別。如果金額無誤，就是連接器讀取錯誤，請回報。',
    }),
    TOTAL_MISMATCH: (p) => ({
      reason: `商店收取 ${p.shop}，ERP 計算為 ${p.erp}：相差 ${p.difference}，超過四捨五入所能解釋的 ${p.tolerance}。${p.line ? `差距最大的是${line(p.line)}。` : '沒有任何單一項目能解釋這個差距。'}`,
      remedy: `請比對${p.line ? '該項目' : '各項目'}在商店與 ERP 中的稅別，更正對照表中的稅別列，然後重送。ERP 中的草稿會重新寫入。`,
    }),
    AMBIGUOUS_REFERENCE: (p) => ({
      reason: `${p.destination} 中有 ${p.count} 份單據使用參考編號「${p.reference}」。`,
      remedy: '請保留其中一份，清除其他單據的參考編號，然後重送。',
    }),
    ERP_REFUSED: (p) => ({
      reason: `${p.destination} 拒絕${operation(p.operation)}：${refusal(p.error)}。`,
      remedy: '請排除訊息中指出的問題（在 ERP 中，或在商店的訂單中），然後重送。',
    }),
    ERP_DOCUMENT_GONE: (p) => ({
      reason: `${p.document} 曾寫入 ${p.destination}，但現在已不存在，或已被人工取消。`,
      remedy: '請決定是否仍需要這筆訂單：還原該單據後重送，或捨棄。',
    }),
    RETRIES_EXHAUSTED: (p) => ({
      reason: `嘗試 ${p.attempts} 次都失敗；最後一次的原因：${RETRIED[p.lastCode] ?? '發生未預期的錯誤'}（${[p.lastCode, ...(p.lastStatus === undefined ? [] : [`HTTP ${p.lastStatus}`])].join('，')}）。`,
      remedy: '請檢查對方系統，恢復正常後重送。不會重複建立：每次建立之前都會先查詢。',
    }),
    ORDER_CHANGED_AFTER_WRITE: (p) => ({
      reason: `${p.document} 寫入 ${p.destination} 之後，訂單在商店中${CHANGES[p.change]}。`,
      remedy: `請以人工對 ${p.document} 做相同的變更，然後捨棄這則訊息。`,
    }),
    EDITED_IN_ERP: (p) => ({
      reason: `${p.destination} 中的 ${p.document} 在我們寫入之後被人工修改：ERP 金額為 ${p.erp}${p.shop ? `，商店金額為 ${p.shop}` : ''}。人工修改的內容絕不會被覆寫。`,
      remedy: `請將 ${p.document} 調整為與買方約定的內容，然後捨棄這則訊息；或以人工還原修改後重送。`,
    }),
    TOO_LATE_IN_ERP: (p) => ({
      reason: `訂單在商店中${CHANGES[p.change]}，但 ${p.destination} 中的 ${p.document} 無法跟著變更：${TOO_LATE[p.because]}。`,
      remedy: `請在 ${p.destination} 中處理（退貨、折讓單或新訂單），然後捨棄這則訊息。`,
    }),
    PERIOD_LOCKED: (p) => ({
      reason: `${p.destination} 在 ${p.day} 的會計期間已關帳，${BOOKINGS[p.what]}無法記在這一天。${p.openFrom ? `之後第一個可以入帳的日期是 ${p.openFrom}。` : '之後也沒有可以入帳的日期。'}`,
      remedy: p.openFrom
        ? `請在 ${p.destination} 開放該會計期間後重送；或將路由設定「lockedPeriod」改為「first-open-day」，記在第一個可以入帳的日期，然後重送；或以人工入帳，然後捨棄這則訊息。`
        : `請在 ${p.destination} 開放會計期間（可能尚未建立下一個會計年度），然後重送。`,
    }),
    EVENT_NOT_UNDERSTOOD: (p) => ({
      reason: `這則訊息不是目錄中的事件：${event(p.problem)}。`,
      remedy: '可能是發布的版本有誤，或有其他系統寫入事件匯流排：請先停下來查明，再考慮重送。',
    }),
    ROUTE_MISSING: (p) => ({
      reason: `已部署的設定中，沒有從 ${p.source} 到 ${p.destination} 的路由。`,
      remedy: '請恢復該路由後重送；如果是刻意移除的，請捨棄。',
    }),
    SEEN_IN_SHADOW: (p) => ({
      reason: `這筆訂單進來時，從 ${p.source} 到 ${p.destination} 的路由還在影子模式，可能已經有人手動輸入。`,
      remedy: `如果已經輸入，請先連結（「waybill adopt --from ${p.source} --to ${p.destination} --since ${p.day}」，確認後加上「--yes」），然後重送。如果沒有人輸入，請以「--not-in-erp」重送。`,
    }),
    STOREFRONT_CREDENTIALS_MISSING: (p) => ({
      reason: `必須到 ${p.source} 讀取訂單 ${p.orderId}，但這個連線沒有讀取用的憑證。`,
      remedy: `請在商店建立可以讀取訂單的 API 金鑰，存入連線 ${p.source} 的憑證，然後重送。`,
    }),
    ORDER_UNREADABLE: (p) => ({
      reason: `${p.source} 提供的訂單 ${p.orderId} 無法解讀為訂單：${p.problem}。`,
      remedy: '請在商店檢查並更正該欄位；如果是商店更改了格式，請更新連接器。然後重送。',
    }),
    PAYMENT_UNREADABLE: (p) => ({
      reason: `${p.source} 提供的付款 ${p.paymentId} 無法解讀：${p.problem}。`,
      remedy: '請在金流商檢查該欄位；如果是金流商更改了格式，請更新連接器。然後重送。',
    }),
    PARKED_BY_AWS: (p: ReasonParams['PARKED_BY_AWS']) => ({
      reason:
        p.by === 'sqs'
          ? `SQS 自行擱置了這則訊息：它被接收了 ${p.receives} 次，處理程式始終沒有回報結果。`
          : `EventBridge 自行擱置了這個事件：無法放入佇列（${p.error}）。`,
      remedy: '請檢查處理程式的記錄與佇列的權限；處理程式恢復運作後重送。',
    }),
  },
};
