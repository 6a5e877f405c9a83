/** Keeps one socket open for ever: tickets, back-off, and a new socket before the gateway ends the old one. */
import { ApiError } from '../api/client';
import type { Change, TicketReply } from '../api/types';
import { backoff, between, type Clock, Patience, type Random } from './clock';
import { Socket, type WebSocketConstructor } from './socket';

export interface ConnectionListener {
  /** A socket is open. What came before it is to be asked for. */
  up(): void;
  /** No socket is open; another try is under way or follows. */
  down(): void;
  /** A try to open one failed. */
  failed(error: unknown): void;
  frame(frame: Change): void;
}

export interface ConnectionOptions {
  ticket(signal: AbortSignal): Promise<TicketReply>;
  WebSocket: WebSocketConstructor;
  clock: Clock;
  random: Random;
}

/** API Gateway closes every socket after two hours. */
const ROTATE_LEAST_MS = 100 * 60_000;
const ROTATE_MOST_MS = 115 * 60_000;
/** The longest wait after a socket broke: the gateway may have cut everybody's, and takes 500 new ones a second of an account. */
const FIRST_TRY_MS = 5_000;
/** The longest wait after a socket that was found dead here, which is no herd. */
const FIRST_TRY_ALONE_MS = 500;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  #running = false;
  #visible = true;
  /** The one that is open, and the one that is to be. */
  #socket: Socket | null = null;
  #next: Socket | null = null;
  #ticket: AbortController | null = null;
  readonly #patience: Patience;
  #failures = 0;
  #forgetTry: (() => void) | null = null;
  #forgetRotation: () => void = () => {};

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#patience = new Patience(options.clock, options.random);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    this.#schedule(0);
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  /** Gives up the socket for a fresh one: nothing that is still on its way through the old one is heard. */
  replace(): void {
    if (!this.#running) return;
    this.#drop();
    this.#listener.down();
    this.#schedule(0);
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    this.#socket?.setVisible(visible);
  }

  /** The network may be back, or gone: looks now instead of later. */
  wake(): void {
    this.#socket?.ping();
    if (this.#forgetTry) this.#schedule(0);
  }

  #drop(): void {
    this.#ticket?.abort();
    this.#ticket = null;
    this.#socket?.close();
    this.#next?.close();
    this.#socket = this.#next = null;
    this.#forgetTry?.();
    this.#forgetTry = null;
    this.#forgetRotation();
  }

  /** Tries after `ms`, but not before the server's `Retry-After` is over. */
  #schedule(ms: number): void {
    this.#forgetTry?.();
    this.#forgetTry = this.#options.clock.after(Math.max(ms, this.#patience.left), () => {
      this.#forgetTry = null;
      void this.#try();
    });
  }

  async #try(): Promise<void> {
    const ticket = (this.#ticket = new AbortController());
    let url: string;
    try {
      ({ url } = await this.#options.ticket(ticket.signal));
    } catch (error) {
      if (!ticket.signal.aborted) this.#failed(error);
      return;
    }
    if (ticket.signal.aborted) return;
    this.#ticket = null;
    const { WebSocket, clock, random } = this.#options;
    try {
      const socket: Socket = new Socket(
        url,
        {
          open: () => this.#opened(socket),
          proven: () => (this.#failures = 0),
          frame: (frame) => this.#listener.frame(frame),
          closed: (dead) => this.#closed(socket, dead),
        },
        { WebSocket, clock, random, visible: this.#visible },
      );
      this.#next = socket;
    } catch (error) {
      this.#failed(error);
    }
  }

  #opened(socket: Socket): void {
    const old = this.#socket;
    this.#socket = socket;
    this.#next = null;
    this.#socket.setVisible(this.#visible);
    old?.close();
    this.#forgetRotation();
    this.#forgetRotation = this.#options.clock.after(
      between(this.#options.random, ROTATE_LEAST_MS, ROTATE_MOST_MS),
      () => this.#schedule(0),
    );
    this.#listener.up();
  }

  #closed(socket: Socket, dead: boolean): void {
    if (socket === this.#next) {
      this.#next = null;
      this.#failed(null);
      return;
    }
    this.#socket = null;
    this.#forgetRotation();
    this.#listener.down();
    // Unless the one that is to follow is on its way already.
    if (this.#next || this.#ticket || this.#forgetTry) return;
    const isAlone = dead && this.#failures === 0;
    const delay = this.#delay();
    this.#schedule(isAlone ? Math.min(delay, FIRST_TRY_ALONE_MS) : delay);
  }

  #failed(error: unknown): void {
    this.#ticket = null;
    if (error instanceof ApiError && error.retryAfter !== undefined) {
      this.#patience.heed(error.retryAfter);
    }
    this.#listener.failed(error);
    if (this.#running) this.#schedule(this.#delay());
  }

  #delay(): number {
    return backoff(this.#options.random, this.#failures++, FIRST_TRY_MS);
  }
}
