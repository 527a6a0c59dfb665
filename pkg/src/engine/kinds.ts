/**
 * Checks that each option of a sync is of its kind. A wrong one is named as its caller wrote it, before anything is loaded.
 *
 * @module
 */
import {
  count,
  flag,
  func,
  globs,
  type Kind,
  milliseconds,
  number,
  object,
  refuseWrong,
  signal,
  texts,
  wrongIn,
} from "../kinds.js";
import type { RemoteOptions, SyncOptions } from "./options.js";

/** The kinds of the options that are not checked elsewhere. */
const kinds = {
  ref_globs: object,
  force: flag,
  prune: count,
  atomic: flag,
  exclude: texts,
  pushOptions: texts,
  timeout: milliseconds,
  signal,
  onProgress: func,
  fetch: func,
  stallTimeout: milliseconds,
  requestStreams: flag,
  collectLimit: number,
  minRate: object,
  maxRefs: number,
  maxCommits: number,
  maxMemory: number,
} satisfies Partial<Record<keyof SyncOptions, Kind>>;

const remote: Kind = {
  words: "must be a URL or an object",
  // A side that is left out is refused later, as a URL that is missing.
  has: (value) => value === undefined || typeof value === "string" || object.has(value),
};

/** The kinds of a side's options that are not checked with its URL. */
const ofRemote = { fetch: func, credentials: func } satisfies Partial<Record<keyof RemoteOptions, Kind>>;

/** Refuses options that are not an object. */
export function refuseNoObject(options: unknown): void {
  refuseWrong("sync", wrongIn({ options }, { options: object }, "", true));
}

/** Refuses all options of another kind at once. */
export function refuseOtherKinds(options: SyncOptions): void {
  refuseWrong("sync", [
    ...wrongIn(options, { source: remote, destination: remote }, "", true),
    ...wrongIn(options.source, ofRemote, "source."),
    ...wrongIn(options.destination, ofRemote, "destination."),
    ...wrongIn(options, kinds),
    ...wrongIn(options.ref_globs, { branches: globs, tags: globs }, "ref_globs."),
    ...wrongIn(options.minRate, { bytes: number, time: number }, "minRate.", true),
  ]);
}
