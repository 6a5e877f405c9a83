import { beforeEach, describe, expect, test, vi } from 'vitest';
import { loudness, peaksOf } from '../../src/composer/voice/peaks';
import { type Machinery, MicrophoneError, Recorder, type RecorderView } from '../../src/composer/voice/recorder';

class FakeMediaRecorder {
  state: RecordingState = 'inactive';
  mimeType = 'audio/webm;codecs=opus';
  ondataavailable: ((event: { data: Blob }) => void) | null = null;
  onstop: (() => void) | null = null;
  onerror: (() => void) | null = null;

  start() {
    this.state = 'recording';
  }
  pause() {
    this.state = 'paused';
  }
  resume() {
    this.state = 'recording';
  }
  stop() {
    this.state = 'inactive';
    this.ondataavailable?.({ data: new Blob(['sound']) });
    this.onstop?.();
  }
}

let now: number;
let stopped: number;
let recorded: FakeMediaRecorder;
let views: RecorderView[];
let machinery: Machinery;

beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  stopped = 0;
  recorded = new FakeMediaRecorder();
  views = [];
  machinery = {
    microphone: () => Promise.resolve({ getTracks: () => [{ stop: () => (stopped += 1) }] } as unknown as MediaStream),
    recorder: () => recorded as unknown as MediaRecorder,
    meter: () => ({ level: () => 0.5, close: () => {} }),
    now: () => now,
  };
  return () => vi.useRealTimers();
});

function recorder(): Recorder {
  return new Recorder((view) => views.push(view), machinery);
}

function pass(milliseconds: number): void {
  now += milliseconds;
  vi.advanceTimersByTime(milliseconds);
}

describe('a recording', () => {
  test('counts what was recorded and not the pauses', async () => {
    const one = recorder();
    await one.start();
    pass(1000);
    one.pause();
    pass(5000);
    one.resume();
    pass(500);
    const recording = await one.finish();
    expect(recording?.durationMs).toBe(1500);
    expect(recording?.blob.size).toBe(5);
    expect(recording?.peaks).toHaveLength(64);
  });

  test('gives the microphone back at its end, when it is cancelled, and when it is left while the agent is asked', async () => {
    const one = recorder();
    await one.start();
    await one.finish();
    expect(stopped).toBe(1);
    const two = recorder();
    await two.start();
    two.cancel();
    expect(stopped).toBe(2);
    const three = recorder();
    const start = three.start();
    three.cancel();
    await start;
    expect(stopped).toBe(3);
    expect(recorded.state).toBe('inactive');
  });

  test('that the computer ends can still be sent', async () => {
    const one = recorder();
    await one.start();
    pass(1000);
    recorded.stop();
    pass(100);
    expect(views.at(-1)?.state).toBe('stopped');
    expect(stopped).toBe(1);
    expect((await one.finish())?.blob.size).toBe(5);
  });

  test('stops by itself after an hour', async () => {
    const one = recorder();
    await one.start();
    now += 60 * 60_000;
    pass(100);
    expect(views.at(-1)?.state).toBe('stopped');
  });

  test.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
    ['TypeError', 'unsupported'],
  ])('that %s prevents says why', async (name, problem) => {
    machinery = { ...machinery, microphone: () => Promise.reject(Object.assign(new Error('x'), { name })) };
    const error = await recorder().start().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(MicrophoneError);
    expect((error as MicrophoneError).problem).toBe(problem);
  });
});

describe('peaks', () => {
  test('are 64, the loudest at the top', () => {
    const peaks = peaksOf(Array.from({ length: 640 }, (_, at) => (at === 325 ? 0.8 : 0.2)));
    expect(peaks).toHaveLength(64);
    expect(peaks[32]).toBe(100);
    expect(peaks[0]).toBe(25);
  });

  test('of few levels repeat them, of none are flat, of silence stay low', () => {
    expect(peaksOf([0.5, 1], 4)).toEqual([50, 50, 100, 100]);
    expect(peaksOf([], 3)).toEqual([0, 0, 0]);
    expect(peaksOf([0.01], 2)).toEqual([10, 10]);
  });

  test('silence is 0 and a full sound 1', () => {
    expect(loudness(new Float32Array(8))).toBe(0);
    expect(loudness(new Float32Array(8).fill(1))).toBe(1);
  });
});
