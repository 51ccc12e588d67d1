/*
 * The table has a description of each function, and for each of its values (file, line, inlined
 * call) a sequence of pairs of numbers that say by how much the value and the address grow. It is
 * read from the function's beginning up to the address. Where a call was inlined, the function's
 * tree of inlined calls names what was inlined, and the place of which the call's line is that of
 * the frame around it.
 */
#include "harness/capture/go_lines.h"

#include <string.h>

enum { PCDATA_INLINED = 2, FUNCDATA_INLINED = 3, VARINT_BYTES_MAX = 5 };
/* abi.FuncFlagTopFrame */
enum { FLAG_OUTERMOST = 1 };

struct function {
    uint64_t entry; /* address as linked */
    uint64_t at;    /* offset of its description */
    uint64_t end;   /* offset behind what all descriptions have */
    uint32_t name;
    uint32_t frames; /* its values: offsets */
    uint32_t files;
    uint32_t lines;
    uint32_t pcdata_count;
    uint32_t unit;
    uint8_t id;    /* 0, but for functions of runtime and wrappers */
    uint8_t flags; /* from 1.17 on */
    uint8_t funcdata_count;
};

/* Where a sequence of values is being read. */
struct value_reader {
    struct go_table *table;
    uint64_t offset;
    unsigned char bytes[64];
    size_t at;
    size_t held;
};

static bool next_byte(struct value_reader *reader, unsigned char *byte) {
    struct go_table *table = reader->table;
    if (reader->at == reader->held) {
        uint64_t rest = reader->offset < table->end ? table->end - reader->offset : 0;
        size_t want = rest < sizeof reader->bytes ? (size_t)rest : sizeof reader->bytes;
        if (want == 0 || table->budget < want ||
            !elf_image_read(&table->image, reader->offset, reader->bytes, want))
            return false;
        table->budget -= want;
        reader->offset += want;
        reader->at = 0;
        reader->held = want;
    }
    *byte = reader->bytes[reader->at++];
    return true;
}

static bool next_number(struct value_reader *reader, uint32_t *number) {
    unsigned char byte = 0;
    *number = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        if (!next_byte(reader, &byte))
            return false;
        *number |= (uint32_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

/* The value of the sequence at `values` at an address; -1 where it has none. */
static int32_t value_at(struct go_table *table, const struct function *function, uint32_t values,
                        uint64_t address) {
    struct value_reader reader = {.table = table, .offset = table->values + values};
    uint64_t reached = function->entry;
    uint32_t value = UINT32_MAX; /* -1 */
    if (values == 0)
        return -1;
    for (bool is_first = true;; is_first = false) {
        uint32_t difference;
        uint32_t distance;
        if (!next_number(&reader, &difference) || (difference == 0 && !is_first) ||
            !next_number(&reader, &distance))
            return -1;
        value += (difference & 1) != 0 ? ~(difference >> 1) : difference >> 1;
        reached += (uint64_t)distance * table->quantum;
        if (address < reached)
            return (int32_t)value;
    }
}

static uint64_t entry_of(struct go_table *table, uint64_t number) {
    if (table->format >= GO_FORMAT_1_18)
        return table->text + go_table_word(table, table->index + number * 8);
    return go_table_long(table, table->index + number * 16);
}

static uint64_t description_of(struct go_table *table, uint64_t number) {
    if (table->format >= GO_FORMAT_1_18)
        return table->functions + go_table_word(table, table->index + number * 8 + 4);
    return table->functions + go_table_long(table, table->index + number * 16 + 8);
}

/* The words up to npcdata are alike in all formats, but for the first. */
static bool read_function(struct go_table *table, uint64_t number, struct function *function) {
    unsigned char bytes[44];
    uint32_t words[7]; /* name, args, deferreturn, pcsp, pcfile, pcln, npcdata */
    unsigned begin = table->format >= GO_FORMAT_1_18 ? 4 : 8;
    unsigned behind = begin + (unsigned)sizeof words;
    unsigned id = table->format == GO_FORMAT_1_18 ? 36 : 40;
    function->entry = entry_of(table, number);
    function->at = description_of(table, number);
    if (number >= table->count || function->at < table->begin || function->at >= table->end ||
        !elf_image_read(&table->image, function->at, bytes, id + 4))
        return false;
    memcpy(words, bytes + begin, sizeof words);
    function->name = words[0];
    function->frames = words[3];
    function->files = words[4];
    function->lines = words[5];
    function->pcdata_count = words[6];
    memcpy(&function->unit, bytes + behind, sizeof function->unit);
    function->id = table->format == GO_FORMAT_1_2 ? 0 : bytes[id];
    function->flags = table->format == GO_FORMAT_1_2 ? 0 : bytes[id + 1];
    function->funcdata_count = table->format == GO_FORMAT_1_2 ? 0 : bytes[id + 3];
    function->end = function->at + id + 4;
    return true;
}

/* The number of the function that an address lies in; the index is sorted by address. */
static bool find_function(struct go_table *table, uint64_t address, uint64_t *number) {
    uint64_t low = 0;
    uint64_t high = table->count;
    if (address < entry_of(table, 0) || address >= entry_of(table, table->count))
        return false;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (entry_of(table, middle) <= address)
            low = middle;
        else
            high = middle;
    }
    *number = low;
    return true;
}

static void read_file(struct go_table *table, const struct function *function, int32_t number,
                      struct go_line *line) {
    uint64_t at = table->files;
    uint32_t offset;
    if (number < 0)
        return;
    if (table->format == GO_FORMAT_1_2)
        offset = go_table_word(table, table->files + (uint64_t)number * 4);
    else
        offset =
            go_table_word(table, table->units + ((uint64_t)function->unit + (uint64_t)number) * 4);
    if (table->format == GO_FORMAT_1_2)
        at = table->begin;
    if (offset == UINT32_MAX || at + offset >= table->end ||
        !elf_image_text(&table->image, at + offset, line->file, sizeof line->file))
        line->file[0] = '\0';
}

/* "f[go.shape.int]" is printed as "f[...]", and a dot in the last part of a package's path is
 * written as "%2e". */
static void make_readable(char *name) {
    char *open = strchr(name, '[');
    char *close = strrchr(name, ']');
    if (open != NULL && close != NULL && close > open + 3) {
        memcpy(open + 1, "...", 3);
        memmove(open + 4, close, strlen(close) + 1);
    }
    for (char *at = name; (at = strstr(at, "%2e")) != NULL; at++) {
        *at = '.';
        memmove(at + 1, at + 3, strlen(at + 3) + 1);
    }
}

static void read_name(struct go_table *table, uint32_t name, struct go_line *line) {
    if (table->names + name >= table->end ||
        !elf_image_text(&table->image, table->names + name, line->function, sizeof line->function))
        line->function[0] = '\0';
    make_readable(line->function);
}

static void read_place(struct go_table *table, const struct function *function, uint64_t address,
                       struct go_line *line) {
    int32_t number = value_at(table, function, function->lines, address);
    line->line = number > 0 ? (uint32_t)number : 0;
    line->file[0] = '\0';
    read_file(table, function, value_at(table, function, function->files, address), line);
}

/* Where the tree of the function's inlined calls is in the file; 0: it has none. */
static uint64_t tree_of(struct go_table *table, const struct function *function) {
    uint64_t address;
    uint64_t offset;
    uint64_t data = function->end + (uint64_t)function->pcdata_count * 4;
    if (function->funcdata_count <= FUNCDATA_INLINED || function->pcdata_count <= PCDATA_INLINED)
        return 0;
    if (table->format >= GO_FORMAT_1_18) {
        uint32_t distance = go_table_word(table, data + FUNCDATA_INLINED * 4);
        if (table->inline_base == 0 || distance == UINT32_MAX)
            return 0;
        address = table->inline_base + distance;
    } else {
        /* Addresses, as aligned as these are in memory. */
        if ((data - table->begin) % 8 != 0)
            data += 4;
        address = go_table_long(table, data + FUNCDATA_INLINED * 8);
    }
    return address != 0 && elf_image_offset(&table->image, address, &offset) ? offset : 0;
}

struct inlined_call {
    uint8_t id;
    uint32_t name;
    uint32_t call; /* of which the call's line is that of the caller: offset from the entry */
};

static bool read_inlined(struct go_table *table, uint64_t tree, int32_t number,
                         struct inlined_call *call) {
    unsigned char bytes[20];
    bool is_new = table->format == GO_FORMAT_1_20;
    size_t size = is_new ? 16 : 20;
    if (!elf_image_read(&table->image, tree + (uint64_t)number * size, bytes, size))
        return false;
    call->id = bytes[is_new ? 0 : 2];
    memcpy(&call->name, bytes + (is_new ? 4 : 12), sizeof call->name);
    memcpy(&call->call, bytes + (is_new ? 8 : 16), sizeof call->call);
    return true;
}

/* Only functions of runtime have an id besides wrappers, whose number differs by release. */
static bool is_wrapper(const struct go_line *line, uint8_t id) {
    return strcmp(line->file, "<autogenerated>") == 0 ||
           (id != 0 && strncmp(line->function, "runtime.", 8) != 0);
}

static int32_t inlined_at(struct go_table *table, const struct function *function, uint64_t tree,
                          uint64_t address) {
    if (tree == 0)
        return -1;
    return value_at(table, function, go_table_word(table, function->end + PCDATA_INLINED * 4),
                    address);
}

bool go_lines_at(struct go_table *table, uint64_t address, go_line_take *take, void *with) {
    struct go_line line;
    struct function function;
    uint64_t number;
    if (!find_function(table, address, &number) || !read_function(table, number, &function))
        return false;
    uint64_t tree = tree_of(table, &function);
    /* A tree that leads back to where it began ends with the budget. */
    while (true) {
        int32_t inlined = inlined_at(table, &function, tree, address);
        struct inlined_call call = {function.id, function.name, 0};
        bool is_inlined = inlined >= 0 && read_inlined(table, tree, inlined, &call);
        read_place(table, &function, address, &line);
        read_name(table, call.name, &line);
        if (!is_wrapper(&line, call.id) && !take(with, &line))
            return false;
        if (!is_inlined)
            return true;
        address = function.entry + call.call;
    }
}

bool go_lines_frame_bytes(struct go_table *table, uint64_t address, uint64_t *bytes,
                          bool *is_outermost) {
    struct function function;
    uint64_t number;
    if (!find_function(table, address, &number) || !read_function(table, number, &function))
        return false;
    int32_t value = value_at(table, &function, function.frames, address);
    *is_outermost = (function.flags & FLAG_OUTERMOST) != 0;
    *bytes = (uint64_t)(int64_t)value;
    return value >= 0 && value % 8 == 0;
}

bool go_lines_of_function(struct go_table *table, uint64_t number, struct go_line *line) {
    struct function function;
    if (number >= table->count || !read_function(table, number, &function))
        return false;
    read_place(table, &function, function.entry, line);
    read_name(table, function.name, line);
    return true;
}
