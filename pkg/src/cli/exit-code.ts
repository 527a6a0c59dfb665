/** The exit codes of the command. */
export const exitCode = { completed: 0, failed: 1, usage: 2, rejected: 3, unmatched: 4, damaged: 5 } as const;

/** The result of a command. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
