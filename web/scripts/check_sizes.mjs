/** Fails when the first JavaScript of the built page, or of the built package in a host's page, is larger than it may be. */
import { componentSize, pageSize, TARGETS } from './sizes.mjs';

const sizes = { page: pageSize(), component: await componentSize() };
let isMet = true;
for (const [what, size] of Object.entries(sizes)) {
  const target = TARGETS[what];
  console.log(`First JavaScript, ${what}: ${size.toFixed(1)} of ${target} KB gz`);
  isMet &&= size <= target;
}
if (!isMet) throw new Error('Too large. What is not needed for the first list belongs into a file of its own (src/ui/deferred.tsx).');
