import {
  type ConnectionRow,
  type ConnectionStates,
  NEVER_CHANGED,
} from '../../shared/core/connection-states.ts';

export const memoryConnectionStates = (): ConnectionStates => {
  const rows = new Map<string, ConnectionRow>();
  const get = (connection: string): ConnectionRow =>
    rows.get(connection) ?? { ...NEVER_CHANGED, connection, version: 0 };
  return {
    get: async (connection) => get(connection),
    change: async ({ connection, version }, to) => {
      const current = get(connection);
      if (current.version !== version) return false;
      rows.set(connection, { ...to, connection, version: version + 1, failure: current.failure });
      return true;
    },
    notice: async (connection, failure) => {
      const current = get(connection);
      if ((current.failure?.atMs ?? 0) < failure.atMs) rows.set(connection, { ...current, failure });
    },
  };
};
