/** What the page's build and the library's have in common. */
import { lingui } from '@lingui/vite-plugin';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { readFileSync } from 'node:fs';
import type { Plugin, PluginOption } from 'vite';

export const plugins = (): PluginOption[] => [
  react({ babel: { plugins: ['@lingui/babel-plugin-lingui-macro'] } }),
  lingui(),
  tailwindcss(),
];

/** The local stack, named by WABA_STACK_FILE, behind the page's own address. */
export function stack(): Plugin {
  const file = process.env['WABA_STACK_FILE'];
  const read = () => JSON.parse(readFileSync(file ?? '', 'utf8')) as { api_url: string; agent_token: string; simulator_url: string };
  return {
    name: 'stack',
    config: () => {
      if (!file) return {};
      const target = new URL(read().api_url);
      const proxy = { '/api': { target: target.origin, changeOrigin: true, rewrite: (path: string) => target.pathname.replace(/\/$/, '') + path } };
      return { server: { proxy }, preview: { proxy } };
    },
    configureServer: (server) => void server.middlewares.use('/config.json', (_, response) => {
      const { agent_token, simulator_url } = read();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ agent_token, simulator_url }));
    }),
  };
}
