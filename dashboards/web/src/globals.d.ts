// True in the build for offline reports (vite.config.ts).
declare const __REPORT__: boolean;
