/** The canary's log in the offsets. No log directory has such a name: theirs have two underscores. */
export const CANARY_KEY = 'canary/log';
