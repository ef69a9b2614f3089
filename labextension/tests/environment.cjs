// jsdom with what browsers have and it has not: the fetch family, encoders, observers.
const { TestEnvironment } = require('jest-environment-jsdom');

module.exports = class BrowserEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    // Node's fetch takes Node's own signals only.
    const names = ['fetch', 'Headers', 'Request', 'Response', 'AbortController', 'AbortSignal'];
    names.push('TextDecoder', 'TextEncoder');
    for (const name of names) {
      this.global[name] = globalThis[name];
    }
    class Observer {
      observe() {}
      unobserve() {}
      disconnect() {}
    }
    this.global.ResizeObserver = Observer;
    this.global.DragEvent = class extends this.global.Event {};
    this.global.document.queryCommandSupported = () => true;
    this.global.navigator.clipboard = { writeText: async () => undefined };
    this.global.matchMedia = () => ({ matches: false, addEventListener() {}, addListener() {} });
  }
};
