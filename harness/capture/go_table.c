/*
 * The section is found by its name, and where sections were cut off by how its header looks. From
 * Go 1.18 on the table counts addresses from the beginning of Go's own code, which is not that of
 * the program's code where C was linked in, and from 1.26 on does not say where that is. It stands
 * in the module's data (go_module.h).
 */
#include "harness/capture/go_table.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/memory.h"
#include "harness/capture/go_module.h"

enum { HEADER_BYTES = 72, COUNT_MAX = 1 << 24, CHUNK = 1 << 16 };
/* What is read through of a program whose sections were cut off. */
#define SEARCH_MAX (UINT64_C(1) << 29)

uint32_t go_table_word(struct go_table *table, uint64_t offset) {
    uint32_t word;
    return elf_image_read(&table->image, offset, &word, sizeof word) ? word : 0;
}

uint64_t go_table_long(struct go_table *table, uint64_t offset) {
    uint64_t word;
    return elf_image_read(&table->image, offset, &word, sizeof word) ? word : 0;
}

static enum go_format format_of(uint32_t magic) {
    switch (magic) {
    case 0xfffffffbu:
        return GO_FORMAT_1_2;
    case 0xfffffffau:
        return GO_FORMAT_1_16;
    case 0xfffffff0u:
        return GO_FORMAT_1_18;
    case 0xfffffff1u:
        return GO_FORMAT_1_20;
    default:
        return GO_FORMAT_NONE;
    }
}

/* Magic, two bytes of 0, the instruction's quantum, bytes of a pointer. */
static enum go_format format_of_header(const unsigned char *header) {
    uint32_t magic;
    memcpy(&magic, header, sizeof magic);
    bool is_sane = header[4] == 0 && header[5] == 0 && (header[6] == 1 || header[6] == 4) &&
                   header[7] == sizeof(uint64_t);
    return is_sane ? format_of(magic) : GO_FORMAT_NONE;
}

static uint64_t segment_end(const struct elf_image *image, uint64_t offset) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segment[i];
        if (segment->type == PT_LOAD && offset >= segment->offset &&
            offset - segment->offset < segment->bytes)
            return segment->offset + segment->bytes;
    }
    return 0;
}

static unsigned index_entry_bytes(const struct go_table *table) {
    return table->format >= GO_FORMAT_1_18 ? 8 : 16;
}

/* The header has the offset of each part. */
static bool place_parts(struct go_table *table, const uint64_t *words) {
    uint64_t *const parts[] = {&table->names, &table->units, &table->files, &table->values,
                               &table->index};
    uint64_t room = table->end - table->begin;
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (words[i] >= room)
            return false;
        *parts[i] = table->begin + words[i];
    }
    table->functions = table->index;
    return true;
}

/* Before 1.16 all is counted from the table's beginning, and the files' place is behind the index.
 */
static bool place_parts_before_1_16(struct go_table *table) {
    table->names = table->begin;
    table->functions = table->begin;
    table->values = table->begin;
    table->units = 0;
    table->index = table->begin + 16;
    table->files = table->begin + go_table_word(table, table->index + table->count * 16 + 8);
    return table->files > table->begin && table->files < table->end;
}

static bool place(struct go_table *table, const uint64_t *words) {
    bool is_placed;
    table->text = 0;
    table->count = words[0];
    if (table->count == 0 || table->count > COUNT_MAX)
        return false;
    switch (table->format) {
    case GO_FORMAT_1_2:
        is_placed = place_parts_before_1_16(table);
        break;
    case GO_FORMAT_1_16:
        is_placed = place_parts(table, words + 2);
        break;
    case GO_FORMAT_1_18:
    case GO_FORMAT_1_20:
        table->text = words[2];
        is_placed = place_parts(table, words + 3);
        break;
    default:
        return false;
    }
    /* The index has one entry more, which begins with where the last function ends. */
    return is_placed && table->index < table->end &&
           table->count * index_entry_bytes(table) + sizeof(uint64_t) <= table->end - table->index;
}

static bool read_header(struct go_table *table, uint64_t offset) {
    unsigned char header[HEADER_BYTES];
    uint64_t words[8];
    table->begin = offset;
    table->end = segment_end(&table->image, offset);
    if (table->end == 0 || !elf_image_read(&table->image, offset, header, sizeof header))
        return false;
    table->format = format_of_header(header);
    table->quantum = header[6];
    memcpy(words, header + 8, sizeof words);
    return place(table, words);
}

static bool search_segment(struct go_table *table, const struct elf_segment *segment,
                           unsigned char *chunk, uint64_t *searched) {
    for (uint64_t at = 0; at < segment->bytes && *searched < SEARCH_MAX; at += CHUNK) {
        uint64_t rest = segment->bytes - at;
        size_t want = rest < CHUNK ? (size_t)rest : CHUNK;
        size_t got = elf_image_read_through(&table->image, segment->offset + at, chunk, want);
        *searched += want;
        for (size_t i = 0; i + 8 <= got; i += 8)
            if (format_of_header(chunk + i) != GO_FORMAT_NONE &&
                read_header(table, segment->offset + at + i))
                return true;
        if (got < want)
            return false;
    }
    return false;
}

static bool search(struct go_table *table) {
    unsigned char *chunk = memory_zeroed(1, CHUNK);
    uint64_t searched = 0;
    bool found = false;
    for (unsigned i = 0; i < table->image.segment_count && !found; i++) {
        const struct elf_segment *segment = &table->image.segment[i];
        found = segment->type == PT_LOAD && segment->offset % 8 == 0 &&
                search_segment(table, segment, chunk, &searched);
    }
    free(chunk);
    return found;
}

/* Another linker than Go's puts the table of a position independent program into a section with
 * other things. */
static bool may_be_merged(struct go_table *table) {
    struct elf_section section;
    return table->image.section_count == 0 ||
           elf_image_section(&table->image, ".go.buildinfo", &section) ||
           elf_image_section(&table->image, ".note.go.buildid", &section);
}

static bool find(struct go_table *table) {
    static const char *const names[] = {".gopclntab", ".data.rel.ro.gopclntab"};
    struct elf_section section;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (elf_image_section(&table->image, names[i], &section))
            return read_header(table, section.offset);
    return may_be_merged(table) && search(table);
}

/* What the index says before the loader has been there. */
static bool is_filled(struct go_table *table) {
    return table->format >= GO_FORMAT_1_18 || go_table_long(table, table->index) != 0;
}

static bool complete(struct go_table *table) {
    struct go_module module;
    if (table->format < GO_FORMAT_1_18)
        return is_filled(table);
    if (go_module_find(table, &module)) {
        table->text = module.text;
        table->inline_base = module.functions_data;
    }
    return table->text != 0;
}

bool go_table_open(struct go_table *table, int file) {
    *table = (struct go_table){.budget = 0};
    if (!elf_image_open(&table->image, file))
        return false;
    if (find(table) && complete(table))
        return true;
    go_table_close(table);
    return false;
}

void go_table_close(struct go_table *table) { elf_image_close(&table->image); }
