/* One helper that is racy fails in another test each time: of findings that are counted together,
 * all tests belong to what has to be fixed. */
#include "harness/report/test_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/test_name.h"

/* What stands behind the names. */
enum { MORE_SIZE = 32 };

static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static size_t room_of(const struct test_list *list) {
    size_t most = sizeof list->text - MORE_SIZE;
    return list->width < most ? list->width : most;
}

static void add_name(struct test_list *list, const char *marker) {
    char name[TEST_NAME_TEXT_SIZE];
    if (marker == NULL)
        return;
    uint64_t hash = hash_of(test_name_text(marker, name));
    if (map_get(&list->seen, hash) != MAP_NONE)
        return;
    map_put(&list->seen, hash, 1);
    /* Once one has no room the others are counted too, so that it is plain which are left out. */
    bool fits = list->shown == list->count && list->used + strlen(name) + 2 <= room_of(list);
    list->count++;
    if (!fits && list->shown > 0)
        return;
    list->used += (size_t)snprintf(list->text + list->used, sizeof list->text - list->used, "%s%s",
                                   list->shown > 0 ? "; " : "", name);
    list->shown++;
}

void test_list_add(struct test_list *list, const struct finding *finding) {
    add_name(list, finding->marker);
    add_name(list, finding->assigned_marker);
    add_name(list, finding->other_marker);
    add_name(list, finding->other_assigned_marker);
}

const char *test_list_text(struct test_list *list) {
    if (list->count > list->shown)
        snprintf(list->text + list->used, sizeof list->text - list->used, " and %" PRIu64 " more",
                 list->count - list->shown);
    return list->text;
}

void test_list_free(struct test_list *list) { map_free(&list->seen); }
