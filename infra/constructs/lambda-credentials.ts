/**
 * Takes the place of the SDK's default credential chain in bundles. Lambda hands a function its credentials in the
 * environment and nowhere else, so single sign-on, profiles, container and instance metadata are dead weight there: 138 kB
 * of 532.
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';
