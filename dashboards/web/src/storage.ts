// What a reader has set on this browser. A browser that forbids storage forgets it, no more.

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
    // No room, or not allowed.
  }
}
