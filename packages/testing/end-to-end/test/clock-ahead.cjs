// Preloaded by a process whose clock is to be wrong: by CLOCK_AHEAD_MS, in milliseconds.
const ahead = Number(process.env.CLOCK_AHEAD_MS);
const now = Date.now.bind(Date);
Date.now = () => now() + ahead;
