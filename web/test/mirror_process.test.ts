/** The client of the end-to-end tests, against the model server on a real port. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { systemClock } from '../src/core/clock';
import { GOOD, ModelServer } from './model/server';
import { seeded } from './model/time';

test('it ends with what the server has, whatever it did to its connections', { timeout: 60_000 }, async () => {
  const root = new URL('..', import.meta.url).pathname;
  await build({ root, configFile: `${root}test/mirror_process.config.ts`, logLevel: 'warn' });

  const model = new ModelServer(systemClock, seeded(5));
  model.network = { ...GOOD, lost: 0.3, truncated: 0.1 };
  const ask = model.fetch();
  const http = createServer((request, response) => {
    void ask(`http://model${request.url}`, { method: request.method ?? 'GET' }).then(async (answer) => {
      const body = (await answer.text()).replace('wss://model', `ws://${request.headers.host}`);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
    });
  });
  const sockets = new WebSocketServer({ server: http });
  const ModelSocket = model.WebSocket();
  sockets.on('connection', (socket) => {
    const inside = new ModelSocket('');
    inside.onmessage = ({ data }: { data: string }) => socket.send(data);
    socket.on('message', (bytes) => inside.send(String(bytes)));
    socket.on('close', () => inside.close());
  });
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;

  const env = { ...process.env, API_URL: `http://127.0.0.1:${port}`, TOKEN: 'token', SEED: '7' };
  const client = spawn(process.execPath, ['dist/mirror_process.js'], { cwd: root, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
  const say = async (command: string): Promise<unknown> => {
    client.stdin.write(`${command}\n`);
    return JSON.parse((await answers.next()).value as string);
  };
  try {
    const writes = setInterval(() => model.write(), 20);
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    clearInterval(writes);
    expect(await say('settle')).toMatchObject({ settled: true, state: 'live' });
    const { conversations, messages, phoneNumbers } = model.state();
    const byId = (rows: { id?: number; phone_number_id?: string | null }[], key: 'id' | 'phone_number_id') =>
      Object.fromEntries(rows.map((row) => [row[key], row]));
    expect(await say('dump')).toEqual({
      conversations: byId(conversations, 'id'),
      messages: byId(messages, 'id'),
      phone_numbers: byId(phoneNumbers, 'phone_number_id'),
    });
  } finally {
    const ended = new Promise((resolve) => client.on('exit', resolve));
    client.stdin.write('quit\n');
    expect(await ended).toBe(0);
    sockets.close();
    http.closeAllConnections();
    http.close();
  }
});
