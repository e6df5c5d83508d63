/** The neighbouring province's hub in a process of its own, which lives no longer than the demo that started it. */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
});
await import('../../hub/main.ts');
