/** The life of one WebSocket: opened once, pinged, found dead, closed. */
import { between, type Clock, type Random } from './clock';
import type { Change } from '../api/types';

/** What the core needs of the browser's WebSocket; `ws` has it too. */
export interface WebSocketLike {
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: string): void;
  close(code?: number): void;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface SocketListener {
  open(): void;
  /** It answered a ping: it is more than a handshake. */
  proven(): void;
  frame(frame: Change): void;
  /** Once, and nothing after it. `dead` says that this side found it so: nobody told. */
  closed(dead: boolean): void;
}

const HANDSHAKE_MS = 15_000;
const PONG_MS = 10_000;
const PING_LEAST_MS = 45_000;
const PING_MOST_MS = 60_000;

export class Socket {
  readonly #socket: WebSocketLike;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #listener: SocketListener;
  #visible: boolean;
  #open = false;
  #ended = false;
  #forgetPing: () => void = () => {};
  /** Runs while an answer is owed: the handshake's or a ping's. */
  #forgetDeadline: (() => void) | null;

  constructor(
    url: string,
    listener: SocketListener,
    { WebSocket, clock, random, visible }: { WebSocket: WebSocketConstructor; clock: Clock; random: Random; visible: boolean },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
    this.#visible = visible;
    this.#socket = new WebSocket(url);
    this.#forgetDeadline = clock.after(HANDSHAKE_MS, () => this.#end(true));
    this.#socket.onopen = () => {
      this.#open = true;
      this.#answered();
      this.ping();
      if (!this.#ended) this.#listener.open();
    };
    this.#socket.onmessage = (event: { data: unknown }) => this.#receive(event.data);
    this.#socket.onerror = () => {};
    this.#socket.onclose = () => this.#end(false);
  }

  /** Says whether anybody looks, which the server hears at once. */
  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.ping();
  }

  /** Asks for a sign of life now. */
  ping(): void {
    if (!this.#open || this.#ended) return;
    this.#forgetPing();
    this.#forgetPing = this.#clock.after(between(this.#random, PING_LEAST_MS, PING_MOST_MS), () => this.ping());
    this.#forgetDeadline ??= this.#clock.after(PONG_MS, () => this.#end(true));
    try {
      this.#socket.send(JSON.stringify({ type: 'ping', visible: this.#visible }));
    } catch {
      this.#end(true);
    }
  }

  /** Closes it; the listener hears nothing of it. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#answered();
    this.#forgetPing();
    // A browser may take minutes to close; nothing that still comes is listened to.
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    try {
      this.#socket.close(1000);
    } catch {
      // It is closed already.
    }
  }

  #receive(data: unknown): void {
    if (this.#ended || typeof data !== 'string') return;
    let frame: Change;
    try {
      frame = JSON.parse(data) as Change;
    } catch {
      return;
    }
    if (typeof frame !== 'object' || frame === null || typeof frame.type !== 'string') return;
    if (frame.type === 'pong') {
      this.#answered();
      this.#listener.proven();
    } else {
      this.#listener.frame(frame);
    }
  }

  #answered(): void {
    this.#forgetDeadline?.();
    this.#forgetDeadline = null;
  }

  #end(dead: boolean): void {
    if (this.#ended) return;
    this.close();
    this.#listener.closed(dead);
  }
}
