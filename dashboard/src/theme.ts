// Light or dark: the system's choice, unless the user's preferences say otherwise. Kept in this browser too, so that
// a page does not first come up in the other one.
const STORED = 'user-api-theme';

export function rememberedTheme(): string {
  return localStorage.getItem(STORED) ?? 'system';
}

export function applyTheme(theme: string): void {
  localStorage.setItem(STORED, theme);
  document.documentElement.dataset['theme'] = theme;
}
