/** What the command's end says to a script. */
export const exitCode = { completed: 0, failed: 1, usage: 2, rejected: 3, unmatched: 4 } as const;

/** How a sync ended. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
