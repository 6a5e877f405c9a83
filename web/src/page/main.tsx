import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LiveChat } from '../live_chat';

const config = (await (await fetch('/config.json')).json()) as { agent_token: string };
const root = document.getElementById('root');
if (root) {
  root.style.height = '100dvh';
  createRoot(root).render(
    <StrictMode>
      <LiveChat apiUrl="" getAccessToken={() => Promise.resolve(config.agent_token)} />
    </StrictMode>,
  );
}
