/**
 * `node:http`, without undici. An import would have Node evaluate every name that the module exports, `WebSocket`
 * among them, which loads all of undici: 11 MB of resident memory that nothing here uses.
 */
export const http = process.getBuiltinModule('node:http');
