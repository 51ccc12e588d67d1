/* What was found out about Python code, for the next time: a loop that binds does so at few places.
 */
#ifndef PORTWITNESS_FRAMES_PYTHON_FACTS_H
#define PORTWITNESS_FRAMES_PYTHON_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Facts follow from what a code object says and not from where it stands: the memory of one that
 * was freed is soon another's. Texts stand for themselves by the hashes that the interpreter has of
 * them; 0 is none, of which nothing is known. */
enum python_fact {
    PYTHON_FILE_OWNER = 1, /* of a file's name: whose code it is (enum pw_frame_of) */
    PYTHON_FRAME_TEXT,     /* of a file's and a function's name: what text_intern answered */
    PYTHON_FRAME_LINE /* of a table of lines, and the first line with the instruction: the line */
};

struct python_facts;

/* To be used until python_facts_give. NULL where somebody else uses them, or was cut off at that:
 * then nothing is known, and nothing remembered. */
struct python_facts *python_facts_take(void);
void python_facts_give(struct python_facts *facts);

bool python_fact_known(const struct python_facts *facts, enum python_fact kind, uint64_t one,
                       uint64_t other, uint64_t *value);
void python_fact_remember(struct python_facts *facts, enum python_fact kind, uint64_t one,
                          uint64_t other, uint64_t value);

#endif
