/** What the command's end says to a script. */
export const exitCode = { completed: 0, failed: 1, usage: 2, rejected: 3, unmatched: 4, damaged: 5 } as const;

/** How a command ended. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
