// Settings of the reader in this browser. A browser that forbids storage only forgets them.

export function recall(key: string): string {
  try {
    return localStorage.getItem(`sweep.${key}`) ?? "";
  } catch {
    return "";
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`sweep.${key}`, value);
  } catch {
    // Storage is full or forbidden.
  }
}
