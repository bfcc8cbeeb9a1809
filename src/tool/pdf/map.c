/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdf/map.h"

#include <errno.h>
#include <sys/mman.h>

enum exit_code pdf_map(const struct input_file *input, struct pdf_map *map)
{
    *map = (struct pdf_map){0};
    if (input->begin != 0) {
        complain(TEXT(pdf_wants_file), input->path);
        return EXIT_USAGE;
    }
    if (input->size == 0) {
        complain("%s: %s", input->path, TEXT(pdf_none));
        return EXIT_FAILED;
    }
    void *start = mmap(NULL, (size_t)input->size, PROT_READ, MAP_PRIVATE, input->file, 0);
    if (start == MAP_FAILED) {
        complain(TEXT(input_failed), input->path, system_error_text(errno));
        return EXIT_FAILED;
    }
    map->start = start;
    map->bytes = (struct jpki_field){start, (size_t)input->size};
    return EXIT_OK;
}

void pdf_unmap(struct pdf_map *map)
{
    if (map->start != NULL)
        (void)munmap(map->start, map->bytes.length);
    *map = (struct pdf_map){0};
}
