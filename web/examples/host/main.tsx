/** Two inboxes side by side in an application with rules of its own: one number each, in two languages and looks. */
import { LiveChat } from '@waba-live-chat/web';
import '@waba-live-chat/web/styles.css';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { getAccessToken } from '../agent';

/** Where the inboxes get their room from; they fill it. */
const FRAME = { boxSizing: 'border-box', display: 'flex', gap: 12, height: 640, padding: 12 } as const;
const HALF = { boxSizing: 'border-box', flex: '1 1 0', minWidth: 0, border: '1px solid gray' } as const;

function Application() {
  const [isShown, setShown] = useState(true);
  return (
    <>
      <h1 id="host-title">Our application</h1>
      <p id="host-text" className="p-4">
        A text of ours
      </p>
      <button id="host-button" type="button" className="flex" onClick={() => setShown(!isShown)}>
        {isShown ? 'Take them away' : 'Show them'}
      </button>
      {isShown && (
        <div style={FRAME}>
          <div style={HALF}>
            <LiveChat apiUrl="" getAccessToken={getAccessToken} locale="ar" theme="dark" defaultPhoneNumberId="200000000000001" className="first" />
          </div>
          <div style={HALF}>
            <LiveChat apiUrl="" getAccessToken={getAccessToken} locale="en" theme="light" defaultPhoneNumberId="200000000000002" className="second" />
          </div>
        </div>
      )}
    </>
  );
}

const app = document.getElementById('app');
if (app) {
  createRoot(app).render(
    <StrictMode>
      <Application />
    </StrictMode>,
  );
}
