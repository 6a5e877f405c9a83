/** What the parts around a mounted inbox share: which dialog is open, what can be done, the settings. One a store, so one a mounted page. */
import { use, useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useStore } from '../store/context';
import type { Store } from '../store/store';
import { UiContext } from '../ui/context';
import { type Settings, SettingsStore } from './settings';
import type { CommandId } from './shortcuts';
import { Sounder } from './sounder';

export type Panel = 'palette' | 'settings' | 'shortcuts';

/** Something that the palette offers beside the commands that have keys. */
export interface ExtraCommand {
  readonly id: string;
  readonly label: string;
  readonly run: () => void;
}

export class Hub {
  readonly settings = new SettingsStore();
  readonly sounder = new Sounder();
  /** Whether the service worker notifies in this browser. */
  isPushed = false;
  #panel: Panel | null = null;
  #version = 0;
  readonly #listeners = new Set<() => void>();
  /** The last that was registered runs: a part that is mounted knows better than the default. */
  readonly #handlers = new Map<CommandId, (() => void)[]>();
  readonly #extras = new Map<string, ExtraCommand>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  get panel(): Panel | null {
    return this.#panel;
  }

  /** Changes with what can be done. */
  get version(): number {
    return this.#version;
  }

  get extras(): readonly ExtraCommand[] {
    return [...this.#extras.values()];
  }

  readonly show = (panel: Panel | null): void => {
    this.#panel = panel;
    this.#tell();
  };

  has(id: CommandId): boolean {
    return (this.#handlers.get(id)?.length ?? 0) > 0;
  }

  /** Whether there was something to run. */
  run(id: CommandId): boolean {
    const handler = this.#handlers.get(id)?.at(-1);
    handler?.();
    return handler !== undefined;
  }

  register(id: CommandId, handler: () => void): () => void {
    this.#handlers.set(id, [...(this.#handlers.get(id) ?? []), handler]);
    this.#tell();
    return () => {
      this.#handlers.set(id, (this.#handlers.get(id) ?? []).filter((other) => other !== handler));
      this.#tell();
    };
  }

  registerExtra(command: ExtraCommand): () => void {
    this.#extras.set(command.id, command);
    this.#tell();
    return () => {
      if (this.#extras.get(command.id) === command) this.#extras.delete(command.id);
      this.#tell();
    };
  }

  #tell(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

const hubs = new WeakMap<Store, Hub>();

/** The hubs of all inboxes on this page; the last is the one that was used last, to which keys without a focus go. */
const mounted = new Set<Hub>();

export function isCurrent(hub: Hub): boolean {
  return [...mounted].at(-1) === hub;
}

export function makeCurrent(hub: Hub): void {
  mounted.delete(hub);
  mounted.add(hub);
}

export function forgetHub(hub: Hub): void {
  mounted.delete(hub);
}

export function useHub(): Hub {
  const store = useStore();
  let hub = hubs.get(store);
  if (!hub) hubs.set(store, (hub = new Hub()));
  return hub;
}

export function usePanel(): Panel | null {
  const hub = useHub();
  return useSyncExternalStore(hub.subscribe, () => hub.panel);
}

export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const { settings } = useHub();
  return [useSyncExternalStore(settings.subscribe, () => settings.value), settings.change];
}

/** Says what a command does here, for its keys and the palette; null: nothing at present. */
export function useShortcut(id: CommandId, handler: (() => void) | null): void {
  const hub = useHub();
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  const isThere = handler !== null;
  useEffect(() => (isThere ? hub.register(id, () => latest.current?.()) : undefined), [hub, id, isThere]);
}

/** Offers something more in the palette. */
export function useCommand({ id, label, run }: ExtraCommand): void {
  const hub = useHub();
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => hub.registerExtra({ id, label, run: () => latest.current() }), [hub, id, label]);
}

/** Opens one of the dialogs; does nothing where its feature is off. */
export function useShowPanel(): (panel: Panel) => void {
  const hub = useHub();
  const features = use(UiContext)?.features;
  return useCallback((panel) => {
    if (panel === 'settings' || features?.[panel] !== false) hub.show(panel);
  }, [hub, features]);
}
