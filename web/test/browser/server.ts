/** A small server for the browser test: pages, `changes`, tickets, sockets; messages when the test says so. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export interface Server {
  url: string;
  /** The open sockets of a user. */
  sockets(user: string): Set<WebSocket>;
  /** The letters that clients sent over sockets. */
  pings: { user: string; visible: boolean }[];
  /** How often a user asked for `changes`. */
  asked(user: string): number;
  /** A message is written, for all users alike. */
  write(options?: { quietly: boolean }): number;
  close(): Promise<void>;
}

export async function serve(script: string): Promise<Server> {
  let version = 0;
  const all = new Map<WebSocket, string>();
  const asked: string[] = [];
  const pings: Server['pings'] = [];
  const change = (id: number) => ({ type: 'message.created', version: id, cursor: '0', message: { id, version: id, conversation_id: 1, reactions: [] } });

  const http = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://test');
    const json = (body: unknown) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (url.pathname === '/script.js') return response.setHeader('content-type', 'text/javascript').end(script);
    if (url.pathname === '/') return response.setHeader('content-type', 'text/html').end('<script type="module" src="/script.js"></script>');
    const user = userOf(request);
    if (url.pathname.endsWith('/realtime-ticket')) {
      const expires_at = new Date(Date.now() + 60_000).toISOString();
      return json({ success: true, url: `ws://${request.headers.host}/socket?user=${user}`, expires_at });
    }
    if (url.pathname.endsWith('/changes')) {
      asked.push(user);
      const after = url.searchParams.get('after');
      const first = after === null ? version + 1 : Number(after) + 1;
      const last = Math.min(version, first + 99);
      const changes = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => change(first + n));
      return json({ success: true, changes, next_cursor: String(after === null ? version : last), has_more: last < version });
    }
    return response.writeHead(404).end();
  });
  const wss = new WebSocketServer({ server: http });
  wss.on('connection', (socket, request) => {
    const user = new URL(request.url ?? '/', 'http://test').searchParams.get('user') ?? '';
    all.set(socket, user);
    socket.on('close', () => all.delete(socket));
    socket.on('message', (bytes) => {
      pings.push({ user, visible: (JSON.parse(String(bytes)) as { visible: boolean }).visible });
      socket.send(JSON.stringify({ type: 'pong' }));
    });
  });
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    sockets: (user) => new Set([...all].filter(([socket, of]) => of === user && socket.readyState === WebSocket.OPEN).map(([socket]) => socket)),
    pings,
    asked: (user) => asked.filter((one) => one === user).length,
    write({ quietly } = { quietly: false }) {
      version += 1;
      if (!quietly) for (const socket of all.keys()) socket.send(JSON.stringify(change(version)));
      return version;
    },
    close: () =>
      new Promise((resolve) => {
        wss.close();
        for (const socket of all.keys()) socket.terminate();
        http.closeAllConnections();
        http.close(() => resolve());
      }),
  };
}

function userOf(request: IncomingMessage): string {
  const payload = request.headers.authorization?.split('.')[1] ?? '';
  return (JSON.parse(Buffer.from(payload, 'base64').toString() || '{}') as { sub?: string }).sub ?? '';
}
