/** What the core wants to know of the page that it runs in. */

/** `freeze`: the browser stops this page, perhaps for ever; `thaw`: it goes on. */
export type PageEvent = 'visibility' | 'online' | 'offline' | 'freeze' | 'thaw';

export interface Page {
  readonly visible: boolean;
  readonly online: boolean;
  /** Calls `listener` at each event; what it returns ends that. */
  listen(listener: (event: PageEvent) => void): () => void;
}

/** A program without a page, such as one of Node's. */
const noPage: Page = { visible: true, online: true, listen: () => () => {} };

/** The page around this script, or what stands for it where there is none. */
export function thisPage(): Page {
  if (typeof document === 'undefined') return noPage;
  return {
    get visible() {
      return document.visibilityState === 'visible';
    },
    get online() {
      return navigator.onLine;
    },
    listen(listener) {
      const controller = new AbortController();
      const { signal } = controller;
      const on = (target: EventTarget, type: string, event: PageEvent) =>
        target.addEventListener(type, () => listener(event), { signal });
      on(document, 'visibilitychange', 'visibility');
      on(document, 'freeze', 'freeze');
      on(document, 'resume', 'thaw');
      on(window, 'pagehide', 'freeze');
      on(window, 'pageshow', 'thaw');
      on(window, 'online', 'online');
      on(window, 'offline', 'offline');
      return () => controller.abort();
    },
  };
}
