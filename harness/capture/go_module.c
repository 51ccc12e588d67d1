/*
 * No section or symbol names it in all programs. In one that is linked to an address, its words
 * stand in the file. In a position independent one they are what the loader is to add the address
 * to: entries of the table that DT_RELA names (elf(5)).
 */
#include "harness/capture/go_module.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"

/* Words of the structure, up to the last that is of interest in any release. */
enum {
    WORD_TABLE = 0,
    WORD_INDEX = 16,   /* ftab: where, length, room */
    WORD_BUCKETS = 19, /* findfunctab; from 1.26 on in the table itself */
    WORD_TEXT = 22,
    WORD_FUNCTIONS_DATA_1_18 = 38,
    WORD_FUNCTIONS_DATA_1_20 = 40,
    WORD_FUNCTIONS_DATA_1_26 = 40, /* ... or later, before the table's end */
    WORDS = 50
};
enum { CHUNK = 1 << 16, PLACES_MAX = 8 };
#define SEARCH_MAX (UINT64_C(1) << 29)

struct words {
    uint64_t word[WORDS];
};

static bool is_module(const struct go_table *table, uint64_t begin, const struct words *words) {
    return words->word[WORD_TABLE] == begin &&
           words->word[WORD_INDEX] == begin + (table->index - table->begin) &&
           words->word[WORD_TEXT] != 0;
}

/* From 1.26 on it is a part of the table, before the buckets, and the table's end stands behind it.
 */
static uint64_t functions_data_in_table(const struct words *words) {
    uint64_t begin = words->word[WORD_TABLE];
    uint64_t buckets = words->word[WORD_BUCKETS];
    for (unsigned i = WORD_FUNCTIONS_DATA_1_26; i + 1 < WORDS; i++)
        if (words->word[i] > begin && words->word[i] < buckets && words->word[i + 1] > buckets)
            return words->word[i];
    return 0;
}

static void take(const struct go_table *table, const struct words *words,
                 struct go_module *module) {
    module->text = words->word[WORD_TEXT];
    if (table->format == GO_FORMAT_1_18)
        module->functions_data = words->word[WORD_FUNCTIONS_DATA_1_18];
    else if (words->word[WORD_BUCKETS] > words->word[WORD_INDEX])
        module->functions_data = functions_data_in_table(words);
    else
        module->functions_data = words->word[WORD_FUNCTIONS_DATA_1_20];
}

/* In the data as linked. */

static bool search_range(struct go_table *table, uint64_t begin, uint64_t offset, uint64_t bytes,
                         uint64_t *buffer, struct words *words) {
    for (uint64_t at = 0; at < bytes && at < SEARCH_MAX; at += CHUNK) {
        uint64_t rest = bytes - at;
        size_t want = rest < CHUNK ? (size_t)rest : CHUNK;
        size_t got = elf_image_read_through(&table->image, offset + at, buffer, want);
        for (size_t i = 0; i < got / sizeof *buffer; i++)
            if (buffer[i] == begin &&
                elf_image_read(&table->image, offset + at + i * sizeof *buffer, words,
                               sizeof *words) &&
                is_module(table, begin, words))
                return true;
        if (got < want)
            return false;
    }
    return false;
}

static bool search_segments(struct go_table *table, uint64_t begin, uint64_t *buffer,
                            struct words *words) {
    for (unsigned i = 0; i < table->image.segment_count; i++) {
        const struct elf_segment *segment = &table->image.segment[i];
        if (segment->type == PT_LOAD && (segment->flags & PF_W) != 0 && segment->offset % 8 == 0 &&
            search_range(table, begin, segment->offset, segment->bytes, buffer, words))
            return true;
    }
    return false;
}

static bool search_data(struct go_table *table, uint64_t begin, struct words *words) {
    static const char *const names[] = {".go.module", ".noptrdata", ".data"};
    struct elf_section section;
    uint64_t *buffer = memory_zeroed(1, CHUNK);
    bool found = false;
    for (unsigned i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = elf_image_section(&table->image, names[i], &section) && section.offset % 8 == 0 &&
                search_range(table, begin, section.offset, section.bytes, buffer, words);
    if (!found && table->image.section_count == 0)
        found = search_segments(table, begin, buffer, words);
    free(buffer);
    return found;
}

/* In what the loader is to put there. */

static bool find_relocations(struct go_table *table, uint64_t *offset, uint64_t *count) {
    uint64_t address = 0;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < table->image.segment_count; i++) {
        const struct elf_segment *segment = &table->image.segment[i];
        Elf64_Dyn entry;
        for (uint64_t at = 0; segment->type == PT_DYNAMIC && at < segment->bytes && at < 4096;
             at += sizeof entry) {
            if (!elf_image_read(&table->image, segment->offset + at, &entry, sizeof entry) ||
                entry.d_tag == DT_NULL)
                break;
            if (entry.d_tag == DT_RELA)
                address = entry.d_un.d_ptr;
            if (entry.d_tag == DT_RELASZ)
                bytes = entry.d_un.d_val;
        }
    }
    *count = (bytes < SEARCH_MAX ? bytes : SEARCH_MAX) / sizeof(Elf64_Rela);
    return address != 0 && elf_image_offset(&table->image, address, offset);
}

static bool is_relative(const struct go_table *table, const Elf64_Rela *entry) {
    uint64_t type = ELF64_R_TYPE(entry->r_info);
    return table->image.machine == EM_AARCH64 ? type == R_AARCH64_RELATIVE
                                              : type == R_X86_64_RELATIVE;
}

typedef void take_entry(void *with, const Elf64_Rela *entry);

static void for_each_relative(struct go_table *table, uint64_t offset, uint64_t count,
                              take_entry *take_one, void *with) {
    enum { ENTRIES = 2048 };
    Elf64_Rela *entries = memory_zeroed(ENTRIES, sizeof *entries);
    for (uint64_t done = 0; done < count; done += ENTRIES) {
        size_t want = count - done < ENTRIES ? (size_t)(count - done) : ENTRIES;
        size_t got = elf_image_read_through(&table->image, offset + done * sizeof *entries, entries,
                                            want * sizeof *entries) /
                     sizeof *entries;
        for (size_t i = 0; i < got; i++)
            if (is_relative(table, &entries[i]))
                take_one(with, &entries[i]);
        if (got < want)
            break;
    }
    free(entries);
}

/* Where the table's address is to be put, and then all that is to be put behind that. */
struct places {
    uint64_t begin;
    unsigned count;
    uint64_t at[PLACES_MAX];
    struct words words[PLACES_MAX];
};

static void note_place(void *with, const Elf64_Rela *entry) {
    struct places *places = with;
    if ((uint64_t)entry->r_addend == places->begin && places->count < PLACES_MAX)
        places->at[places->count++] = entry->r_offset;
}

static void note_word(void *with, const Elf64_Rela *entry) {
    struct places *places = with;
    for (unsigned i = 0; i < places->count; i++) {
        uint64_t distance = entry->r_offset - places->at[i];
        if (entry->r_offset >= places->at[i] && distance < sizeof places->words[i] &&
            distance % 8 == 0)
            places->words[i].word[distance / 8] = (uint64_t)entry->r_addend;
    }
}

/* Lengths are not the loader's business. */
static void read_as_linked(struct go_table *table, struct places *places) {
    for (unsigned i = 0; i < places->count; i++) {
        uint64_t offset;
        if (!elf_image_offset(&table->image, places->at[i], &offset) ||
            !elf_image_read(&table->image, offset, &places->words[i], sizeof places->words[i]))
            places->words[i] = (struct words){{0}};
    }
}

static bool search_relocations(struct go_table *table, uint64_t begin, struct words *words) {
    struct places places = {.begin = begin};
    uint64_t offset;
    uint64_t count;
    if (!find_relocations(table, &offset, &count))
        return false;
    for_each_relative(table, offset, count, note_place, &places);
    read_as_linked(table, &places);
    for_each_relative(table, offset, count, note_word, &places);
    for (unsigned i = 0; i < places.count; i++)
        if (is_module(table, begin, &places.words[i])) {
            *words = places.words[i];
            return true;
        }
    return false;
}

bool go_module_find(struct go_table *table, struct go_module *module) {
    struct words words;
    uint64_t begin;
    *module = (struct go_module){0};
    if (!elf_image_address(&table->image, table->begin, &begin) ||
        (!search_data(table, begin, &words) && !search_relocations(table, begin, &words)))
        return false;
    take(table, &words, module);
    return true;
}
