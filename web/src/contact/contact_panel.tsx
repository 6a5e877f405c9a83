export function ContactPanel() {
  return null;
}
