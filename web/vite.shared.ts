/** What the page's build and the library's have in common, and what serves the page on a developer's machine. */
import { lingui } from '@lingui/vite-plugin';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Connect, type Plugin, type PluginOption } from 'vite';

export const plugins = (): PluginOption[] => [
  react({ babel: { plugins: ['@lingui/babel-plugin-lingui-macro'] } }),
  lingui(),
  tailwindcss(),
];

interface StackFile {
  readonly api_url: string;
  readonly websocket_url: string;
  readonly agent_token: string;
  readonly simulator_url: string;
}

/** The local stack, named by WABA_STACK_FILE, behind the page's own address, with a `/config.json` that names its agent. */
export function stack(): Plugin {
  const file = process.env['WABA_STACK_FILE'];
  const read = () => JSON.parse(readFileSync(file ?? '', 'utf8')) as StackFile;
  const config: Connect.NextHandleFunction = (_, response) => {
    const { agent_token, simulator_url } = read();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ api_url: '', agents: [{ name: 'the demo agent', token: agent_token }], simulator_url }));
  };
  return {
    name: 'stack',
    config: () => {
      if (!file) return {};
      const target = new URL(read().api_url);
      const proxy = { '/api': { target: target.origin, changeOrigin: true, rewrite: (path: string) => target.pathname.replace(/\/$/, '') + path } };
      return { server: { proxy }, preview: { proxy } };
    },
    configureServer: (server) => {
      if (file) server.middlewares.use('/config.json', config);
    },
    configurePreviewServer: (server) => {
      if (!file) return;
      const { root, build } = server.config;
      server.middlewares.use('/config.json', config);
      server.middlewares.use((request, response, next) => {
        response.setHeader('content-security-policy', contentSecurityPolicy(read()));
        // As hosts may: their names change with what is in them.
        if (request.url?.startsWith('/assets/') && existsSync(join(root, build.outDir, request.url))) response.setHeader('cache-control', 'public, max-age=31536000, immutable');
        next();
      });
    },
  };
}

/** The header that docs/WEB.md asks hosts to send, for this stack: tests run under it. */
function contentSecurityPolicy({ api_url, websocket_url }: StackFile): string {
  const [api, socket] = [new URL(api_url).origin, new URL(websocket_url).origin];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    `img-src 'self' blob: data: ${api}`,
    `media-src 'self' blob: ${api}`,
    `connect-src 'self' blob: ${api} ${socket}`,
    "font-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Names in the HTML what the page's script imports in any case, so that it is fetched side by side with it. */
export function preloaded(module: string): Plugin {
  return {
    name: 'preloaded',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle }) =>
        Object.values(bundle ?? {})
          .filter((file) => file.type === 'chunk' && file.moduleIds.some((id) => id.endsWith(module)))
          .map(({ fileName }) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: `/${fileName}` }, injectTo: 'head' })),
    },
  };
}

const WORKER = fileURLToPath(new URL('./src/page/service_worker.ts', import.meta.url));

/** The service worker as one file of its own, `/service_worker.js`: browsers want it at the root, under a name that never changes. */
export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    configureServer: (server) => {
      server.middlewares.use('/service_worker.js', (_, response, next) => {
        bundleWorker().then((code) => {
          response.setHeader('content-type', 'text/javascript');
          response.end(code);
        }, next);
      });
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'service_worker.js', source: await bundleWorker() });
    },
  };
}

async function bundleWorker(): Promise<string> {
  const made = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, target: 'es2022', lib: { entry: WORKER, formats: ['iife'], name: 'worker' } },
  });
  for (const { output } of Array.isArray(made) ? made : 'output' in made ? [made] : []) return output[0].code;
  throw new Error('The service worker was built into nothing');
}
