export const TARGETS: { readonly page: number; readonly component: number };
export function pageSize(): number;
export function componentSize(): Promise<number>;
