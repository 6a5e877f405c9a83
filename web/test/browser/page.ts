/** What runs in each tab of the browser test. */
import { createLive, Mirror } from '../../src/core/index';

const { user } = Object.fromEntries(new URLSearchParams(location.search)) as { user: string };
const token = `x.${btoa(JSON.stringify({ sub: user }))}.x`;
const live = createLive({ apiUrl: location.origin, getAccessToken: () => Promise.resolve(token) });
const mirror = new Mirror();
mirror.follow(live);
live.start();

Object.assign(window, {
  state: () => live.status.state,
  messages: () => [...mirror.messages()].map(({ id }) => id).toSorted((a, b) => a - b),
  live,
});
