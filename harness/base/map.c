/* Open addressing with linear search, at most half full. A trace only ever adds, so there is no
 * way to forget a key, and the value MAP_NONE marks a free slot. */
#include "harness/base/map.h"

#include <stdlib.h>

#include "harness/base/memory.h"

static size_t slot_of(const struct map *map, uint64_t key) {
    /* The multiplication spreads serial numbers and cookies, the shift mixes the high bits in. */
    uint64_t mixed = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(mixed ^ mixed >> 32) & (map->room - 1);

    while (map->slots[slot].value != MAP_NONE && map->slots[slot].key != key)
        slot = (slot + 1) & (map->room - 1);
    return slot;
}

uint32_t map_get(const struct map *map, uint64_t key) {
    return map->room == 0 ? MAP_NONE : map->slots[slot_of(map, key)].value;
}

static void grow(struct map *map) {
    struct map larger = {0};

    larger.slots =
        memory_grow(NULL, &larger.room, map->room > 0 ? 2 * map->room : 16, sizeof *larger.slots);
    for (size_t i = 0; i < larger.room; i++)
        larger.slots[i].value = MAP_NONE;
    for (size_t i = 0; i < map->room; i++)
        if (map->slots[i].value != MAP_NONE)
            larger.slots[slot_of(&larger, map->slots[i].key)] = map->slots[i];
    larger.used = map->used;
    free(map->slots);
    *map = larger;
}

void map_put(struct map *map, uint64_t key, uint32_t value) {
    struct map_slot *slot;

    if (2 * map->used >= map->room)
        grow(map);
    slot = &map->slots[slot_of(map, key)];
    if (slot->value == MAP_NONE)
        map->used++;
    slot->key = key;
    slot->value = value;
}

void map_free(struct map *map) {
    free(map->slots);
    *map = (struct map){0};
}
