export function PhoneNumberSelect() {
  return null;
}
