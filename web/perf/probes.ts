/** What is injected into the page to look at it from inside; each begins before the page's own scripts. */

/** Frames, long tasks, layout shifts, interactions and drawings, since `window.probes.begin()`. */
export interface Probes {
  begin(): void;
  /** Milliseconds between frames. */
  frames: number[];
  longTasks: number[];
  shift: number;
  /** The longest event of each interaction. */
  interactions: Map<number, Interaction>;
  /** Of how many rows of messages a component ran. */
  drawnRows: number;
  /** How often any component ran. */
  drawn: number;
}

/** In milliseconds: until the page heard of it, until its listeners were done, until that was to be seen. */
export interface Interaction {
  duration: number;
  waited: number;
  worked: number;
  painted: number;
  /** The event, and what it was of. */
  what: string;
}

declare global {
  interface Window {
    probes: Probes;
  }
}

/** Runs in the page. */
export function installProbes(): void {
  interface Fiber {
    tag: number;
    flags: number;
    child: Fiber | null;
    sibling: Fiber | null;
    alternate: Fiber | null;
    stateNode: unknown;
  }
  const PERFORMED_WORK = 1;
  const COMPONENTS = new Set([0, 1, 11, 14, 15]);
  const HOST = 5;
  // Weakly: rows that have gone are not to be kept by whoever measures the memory.
  let counted = new WeakSet<Element>();
  const probes: Probes = {
    frames: [],
    longTasks: [],
    shift: 0,
    interactions: new Map(),
    drawnRows: 0,
    drawn: 0,
    begin() {
      probes.frames = [];
      probes.longTasks = [];
      probes.shift = 0;
      probes.interactions = new Map();
      probes.drawnRows = 0;
      counted = new WeakSet();
      probes.drawn = 0;
    },
  };
  window.probes = probes;
  let last = performance.now();
  const frame = (now: number) => {
    probes.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const observe = (type: string, take: (entry: PerformanceEntry) => void, more: object = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  observe('longtask', (entry) => probes.longTasks.push(entry.duration));
  observe('layout-shift', (entry) => {
    const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
    if (!shift.hadRecentInput) probes.shift += shift.value;
  });
  observe(
    'event',
    (entry) => {
      const { interactionId, name, duration, startTime, processingStart, processingEnd, target } = entry as PerformanceEventTiming & { interactionId: number };
      const worked = processingEnd - processingStart;
      const known = probes.interactions.get(interactionId);
      // A press and its click end in one frame: the one that took longest says why.
      if (!interactionId || (known && (duration < known.duration || (duration === known.duration && worked <= known.worked)))) return;
      const of = target instanceof Element ? target.closest('[aria-label], [role]') : null;
      probes.interactions.set(interactionId, {
        duration,
        waited: processingStart - startTime,
        worked,
        painted: startTime + duration - processingEnd,
        what: `${name} of ${of?.getAttribute('aria-label') ?? of?.getAttribute('role') ?? 'what is gone'}`,
      });
    },
    { durationThreshold: 16 },
  );

  // React tells whoever looks like its developer tools of each commit, also in production.
  const rowOf = (fiber: Fiber): Element | null => {
    for (let node: Fiber | null = fiber; node; node = node.child) {
      if (node.tag === HOST) return (node.stateNode as Element).closest('[role="feed"] article');
    }
    return null;
  };
  const walk = (next: Fiber | null, before: Fiber | null): void => {
    for (let fiber = next; fiber; fiber = fiber.sibling) {
      const previous = fiber.alternate;
      // What a commit did not touch is the very same object as before.
      const isNew = previous === null;
      const isSame = !isNew && before !== null && sameAmong(before, fiber);
      if (isSame) continue;
      if (COMPONENTS.has(fiber.tag) && (fiber.flags & PERFORMED_WORK) !== 0) {
        probes.drawn += 1;
        const row = rowOf(fiber);
        if (row && !counted.has(row)) {
          counted.add(row);
          probes.drawnRows += 1;
        }
      }
      if (isNew) walk(fiber.child, null);
      else if (fiber.child !== previous.child) walk(fiber.child, previous.child);
    }
  };
  const sameAmong = (first: Fiber, fiber: Fiber): boolean => {
    for (let node: Fiber | null = first; node; node = node.sibling) if (node === fiber) return true;
    return false;
  };
  const hook = {
    isDisabled: false,
    supportsFiber: true,
    renderers: new Map(),
    inject: () => 1,
    onCommitFiberRoot: (_: number, root: { current: Fiber }) => {
      const { current } = root;
      walk(current.child, current.alternate?.child ?? null);
    },
    onCommitFiberUnmount: () => {},
    onPostCommitFiberRoot: () => {},
    checkDCE: () => {},
  };
  Object.defineProperty(window, '__REACT_DEVTOOLS_GLOBAL_HOOK__', { value: hook });
}
