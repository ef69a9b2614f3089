/** The version of this half; the server's half must be the same. A test holds it to package.json. */
export const VERSION = '0.1.0';
