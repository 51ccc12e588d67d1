/* Node: a module in JavaScript says ahead what lines a call comes from, see
 * integrations/node/frames.cjs. */
#ifndef PORTWITNESS_FRAMES_NODE_H
#define PORTWITNESS_FRAMES_NODE_H

/* Once, before main, when the process is entered in the trace: if this is Node, has it load the
 * module first of all, by NODE_OPTIONS. Nothing is done where the program could see it, or fail. */
void node_start(void);

/* The module has been loaded: NODE_OPTIONS is as the program was given it. */
void node_start_undo(void);

#endif
