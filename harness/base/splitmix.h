/* Random numbers that a seed decides: SplitMix64, of which every state is good. */
#ifndef PORTWITNESS_BASE_SPLITMIX_H
#define PORTWITNESS_BASE_SPLITMIX_H

#include <stdint.h>

static inline uint64_t splitmix(uint64_t *state) {
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

#endif
