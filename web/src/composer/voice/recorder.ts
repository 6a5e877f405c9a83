/**
 * Records a voice message: asks for the microphone, records with pauses, and gives the microphone back however it ends. What it is made of
 * can be given, which is how tests do without a microphone.
 */
import { loudness, peaksOf } from './peaks';

export interface Recording {
  readonly blob: Blob;
  readonly durationMs: number;
  readonly peaks: readonly number[];
}

/** Why there is no recording. */
export type MicrophoneProblem = 'denied' | 'missing' | 'busy' | 'unsupported';

export class MicrophoneError extends Error {
  readonly problem: MicrophoneProblem;

  constructor(problem: MicrophoneProblem) {
    super(`The microphone cannot be used: ${problem}`);
    this.problem = problem;
  }
}

export interface Machinery {
  microphone(): Promise<MediaStream>;
  recorder(stream: MediaStream): MediaRecorder;
  meter(stream: MediaStream): { level(): number; close(): void };
  /** Milliseconds that only grow. */
  now(): number;
}

export interface RecorderView {
  /** `stopped`: it cannot go on, but what is there can be sent. */
  readonly state: 'starting' | 'recording' | 'paused' | 'stopped' | 'ended';
  readonly durationMs: number;
  /** The last of the loudnesses, from 0 to 1. */
  readonly levels: readonly number[];
}

/** In the order of preference: what WhatsApp takes as it is, what only has to be packed anew, and what Safari has. */
const TYPES = ['audio/ogg;codecs=opus', 'audio/webm;codecs=opus', 'audio/mp4'];
/** Speech needs no more; an hour then stays below WhatsApp's 16 MB. */
const BITS_PER_SECOND = 32_000;
const LONGEST_MS = 60 * 60_000;
const TICK_MS = 80;
/** As many levels as are shown. */
const SHOWN = 48;

export class Recorder {
  readonly #machinery: Machinery;
  readonly #onChange: (view: RecorderView) => void;
  readonly #chunks: Blob[] = [];
  readonly #levels: number[] = [];
  #state: RecorderView['state'] = 'starting';
  #stream: MediaStream | null = null;
  #recorder: MediaRecorder | null = null;
  #meter: { level(): number; close(): void } | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** What was recorded before the last pause, and since when it goes on. */
  #recordedMs = 0;
  #since = 0;
  #stopped: Promise<void> = Promise.resolve();

  constructor(onChange: (view: RecorderView) => void, machinery: Machinery = browserMachinery) {
    this.#onChange = onChange;
    this.#machinery = machinery;
  }

  /** Begins once the agent allowed it; rejects with [`MicrophoneError`]. */
  async start(): Promise<void> {
    try {
      const stream = await this.#machinery.microphone();
      this.#stream = stream;
      // It was left while the agent was still being asked.
      if (this.#state === 'ended') return this.#release();
      const recorder = this.#machinery.recorder(stream);
      this.#recorder = recorder;
      recorder.ondataavailable = ({ data }) => data.size > 0 && this.#chunks.push(data);
      this.#stopped = new Promise((done) => {
        recorder.onstop = () => done();
        recorder.onerror = () => done();
      });
      this.#meter = this.#machinery.meter(stream);
      // In pieces: what was recorded until something breaks is there.
      recorder.start(1000);
    } catch (cause) {
      this.#end();
      throw problemOf(cause);
    }
    this.#since = this.#machinery.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#turn('recording');
  }

  pause(): void {
    if (this.#state !== 'recording' || this.#recorder?.state !== 'recording') return;
    this.#recorder.pause();
    this.#recordedMs = this.#duration();
    this.#turn('paused');
  }

  resume(): void {
    if (this.#state !== 'paused' || this.#recorder?.state !== 'paused') return;
    this.#recorder.resume();
    this.#since = this.#machinery.now();
    this.#turn('recording');
  }

  /** Ends it and gives what was recorded; null where that is nothing. */
  async finish(): Promise<Recording | null> {
    const durationMs = this.#duration();
    const [recorder, stopped] = [this.#recorder, this.#stopped];
    if (recorder && recorder.state !== 'inactive') recorder.stop();
    this.#end();
    await stopped;
    if (!recorder || this.#chunks.length === 0) return null;
    return { blob: new Blob(this.#chunks, { type: recorder.mimeType || (this.#chunks[0]?.type ?? '') }), durationMs, peaks: peaksOf(this.#levels) };
  }

  /** Ends it and keeps nothing. */
  cancel(): void {
    if (this.#recorder && this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#chunks.length = 0;
    this.#end();
  }

  #tick(): void {
    if (this.#state !== 'recording') return;
    this.#levels.push(this.#meter?.level() ?? 0);
    // The microphone was taken away, or it is as long as it may be.
    if (this.#recorder?.state === 'inactive' || this.#duration() >= LONGEST_MS) {
      this.#recordedMs = this.#duration();
      if (this.#recorder?.state === 'recording') this.#recorder.pause();
      this.#release();
      return this.#turn('stopped');
    }
    this.#tell();
  }

  #duration(): number {
    return Math.round(this.#recordedMs + (this.#state === 'recording' ? this.#machinery.now() - this.#since : 0));
  }

  #turn(state: RecorderView['state']): void {
    this.#state = state;
    this.#tell();
  }

  #tell(): void {
    this.#onChange({ state: this.#state, durationMs: this.#duration(), levels: this.#levels.slice(-SHOWN) });
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#state = 'ended';
    this.#release();
  }

  #release(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#meter?.close();
    this.#meter = null;
  }
}

function problemOf(cause: unknown): MicrophoneError {
  if (cause instanceof MicrophoneError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return new MicrophoneError('denied');
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return new MicrophoneError('missing');
  return new MicrophoneError(name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'unsupported');
}

const browserMachinery: Machinery = {
  microphone() {
    // Browsers have none of it in pages without HTTPS.
    if (!('mediaDevices' in navigator) || typeof MediaRecorder === 'undefined') throw new MicrophoneError('unsupported');
    return navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, channelCount: 1 } });
  },
  recorder(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    if (!mimeType) throw new MicrophoneError('unsupported');
    return new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND });
  },
  meter(stream) {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      level() {
        analyser.getFloatTimeDomainData(samples);
        return loudness(samples);
      },
      close: () => void context.close(),
    };
  },
  now: () => performance.now(),
};
