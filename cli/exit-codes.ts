/** A version was made and is not good enough: a build can tell this from one that could not be made (1) or was asked for wrongly (2). */
export const GATE_FAILED = 3
