/*
 * Where a call came from in the language of the program: for code that an interpreter or a virtual
 * machine runs, the return address says nothing.
 *
 * Each language has a file of its own here. It either walks its stack when a call is about to be
 * recorded (a `walk`), or learns of the call ahead and leaves the frames for it (frames_note).
 * Frames are handed over one by one, the innermost first; which of them are kept is decided here.
 */
#ifndef PORTWITNESS_FRAMES_FRAMES_H
#define PORTWITNESS_FRAMES_FRAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/shared/frame_choice.h"

enum { FRAMES_ANY_DESCRIPTOR = -1 };

/* What is kept of one call. */
struct frames {
    uint64_t thread; /* the thread's name, interned; 0: none */
    int call;        /* the one that they are about (enum call_number), 0: any */
    bool listens;    /* set by a language whose library listens in the call in which it binds */
    struct frame_choice kept;
};

/* The program has one of the languages; set by the language's file. Java is found by the call's
 * site. */
extern _Atomic bool languages_found;

/* Whether interpreters may be asked at all (run --no-frames). */
bool frames_are_on(void);

/* Empties it, for the innermost frame to come. */
void frames_begin(struct frames *frames);

/* Adds the next frame outwards; texts are copied, NULL counts as empty. false: enough is known. */
bool frames_add(struct frames *frames, enum pw_frame_of of, const char *file, const char *function,
                uint32_t line);

/* The same with the two texts as text_intern named them. */
bool frames_add_interned(struct frames *frames, enum pw_frame_of of, uint64_t text, uint32_t line);

/* Passes over a frame that is not kept by default, being of the language's library or of what runs
 * tests; for those who need not find out its names. false: enough is known. */
bool frames_pass(struct frames *frames, enum pw_frame_of of);

/* The name of the thread, where the language has one of its own. */
void frames_name_thread(struct frames *frames, const char *name);

/* Leaves frames for the next call of this thread that is recorded: for one use, if it is about that
 * descriptor (FRAMES_ANY_DESCRIPTOR: about any, and until frames_forget) and the socket that it is
 * now, and is that call. They are copied. */
void frames_note(int fd, const struct frames *frames);
void frames_forget(void);

/* Which socket that is now, as far as is known: its cookie, 0 if not. */
uint64_t frames_socket(int fd);

/* What was left for a call on that descriptor, NULL if nothing was. */
const struct frames *frames_take_noted(int fd, int call);

/* The frames of the call that this thread is about to make, NULL where no language tells any. Good
 * until its next call. Async-signal-safe where it answers NULL; errno is kept. */
const struct frames *frames_of_call(int fd, int call, const void *site);

/* The same for a listen on a socket that is bound. */
const struct frames *frames_of_listen(int fd, int call, const void *site);

/* How many units they need; 0 for NULL. */
unsigned frames_units(const struct frames *frames);

/* Writes them into the record's units from `index` on, and says so in its flags. */
void frames_write(struct record *record, unsigned index, const struct frames *frames);

#endif
