// The shapes that the parts of the comparison pass to each other.

/** Who takes part. */
export type Who = "refsync" | "fetch" | "push" | "mirror" | "kept" | "lsRemote" | "isomorphic";

/** A program and its arguments. */
export type Command = [string, ...string[]];

/** A repository, by its folder and by its URL. */
export interface Place {
  path: string;
  url: string;
}

/** The repositories of one comparison. `old` is the source as it was 20 commits ago. */
export interface Fixture {
  source: Place;
  destination: Place;
  old: string;
  /** A mirror from an earlier round. */
  kept: string;
  /** A folder that each turn finds empty. */
  scratch: string;
  branch: string;
}

/** Something that everybody does. */
export interface Work {
  id: "first" | "commits" | "nothing";
  name: string;
  who: Who[];
  warmsUp: boolean;
  before(at: Fixture): void;
}

/** A turn's cost: seconds, megabytes of memory, and bytes on the wire. */
export interface Cost {
  wall: number;
  afterStart: number;
  cpu: number;
  memory: number;
  fromSource: number;
  toDestination: number;
}

/** The medians of one contestant at one work, and its turns. */
export interface Row extends Cost {
  work: Work;
  who: Who;
  rounds: Cost[];
}

/** How large a repository is. */
export interface Shape {
  name: string;
  refCount: number;
  packBytes: number;
}

/** The comparison on one repository. */
export interface Result extends Shape {
  table: Row[];
  of(work: Work["id"], who: Who): Row | undefined;
}

/** What one catch-up took: megabytes of memory, of which it may take `most`, and seconds. */
export interface CatchUp {
  commits: number;
  most: number;
  memory: number;
  wall: number;
}

/** What `git-server.mjs` counts, by repository. */
export interface Traffic {
  /** In milliseconds since 1970. */
  firstRequest: number | undefined;
  sent: Record<string, number>;
  received: Record<string, number>;
}
