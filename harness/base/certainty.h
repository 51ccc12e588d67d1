/* How much the evidence bears out. Zero-initialized it is certain. */
#ifndef PORTWITNESS_BASE_CERTAINTY_H
#define PORTWITNESS_BASE_CERTAINTY_H

enum certainty {
    CERTAIN, /* holds in every order that the recorded intervals allow */
    POSSIBLE /* holds in some orders alone, or a record that could say otherwise is missing */
};

/* CERTAIN only where `is_certain` holds. */
static inline enum certainty certainty_if(int is_certain) {
    return is_certain ? CERTAIN : POSSIBLE;
}

/* Of a conclusion that rests on both. */
static inline enum certainty certainty_worse(enum certainty one, enum certainty other) {
    return one == POSSIBLE ? POSSIBLE : other;
}

#endif
