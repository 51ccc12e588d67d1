/* A hash map from 64-bit keys to indexes of an array. */
#ifndef PORTWITNESS_BASE_MAP_H
#define PORTWITNESS_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map_slot {
    uint64_t key;
    uint32_t value;
};

/* Zero-initialized it is empty. */
struct map {
    struct map_slot *slots;
    size_t room; /* a power of two */
    size_t used;
};

/* The value stored for `key`, MAP_NONE if there is none. */
uint32_t map_get(const struct map *map, uint64_t key);

/* Stores `value`, which is not MAP_NONE, for `key` in place of what was there. */
void map_put(struct map *map, uint64_t key, uint32_t value);

/* Frees what the map holds; it is empty then. */
void map_free(struct map *map);

#endif
