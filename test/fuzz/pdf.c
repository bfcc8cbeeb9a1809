/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PDFs from anywhere: a file is refused, or gets a signature that covers all of it and breaks none
 * that was there. The first byte says where the signature is to be seen. */
#include "pdf/pdf.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { VISIBLE = 1, MOJ = 2, WHEN = 1800000000, ROOM = 40 };

/* A CMS as far as its length can be told, for the hole. */
static const uint8_t cms[] = {0x30, 0x03, 0x02, 0x01, 0x05};

struct found {
    const uint8_t *bytes;
    size_t size;
    unsigned count, changed, whole;
};

static bool inside(const struct found *found, const struct jpki_field *part)
{
    return part->data >= found->bytes && part->length <= found->size &&
           (size_t)(part->data - found->bytes) <= found->size - part->length;
}

static bool visit(void *context, const struct pdf_signature *signature)
{
    struct found *found = context;
    found->count++;
    if (signature->problem != NULL)
        return true;
    fuzz_promise(inside(found, &signature->parts[0]) && inside(found, &signature->parts[1]),
                 "what is signed lies in the file");
    fuzz_promise(signature->parts[0].data == found->bytes, "from its beginning");
    fuzz_promise(signature->cms_length > 0 && signature->cms[0] == 0x30, "there is a CMS");
    found->changed += signature->later == PDF_CHANGED_LATER;
    found->whole += signature->later == PDF_NOTHING_LATER;
    return true;
}

/* Reads all signatures; false when the file is refused. */
static bool find(const uint8_t *bytes, size_t size, struct found *found)
{
    struct pdf pdf;
    *found = (struct found){.bytes = bytes, .size = size};
    bool good = pdf_open(&pdf, bytes, size) && pdf_each_signature(&pdf, visit, found);
    fuzz_promise(good || pdf.problem[0] != '\0', "a refusal has a reason");
    pdf_close(&pdf);
    return good;
}

static void check_signed(const uint8_t *bytes, size_t size, const struct pdf_update *update,
                         const struct found *before)
{
    struct found after;
    uint8_t *whole = malloc(size + update->size);
    if (whole == NULL)
        return;
    memcpy(whole, bytes, size);
    memcpy(whole + size, update->bytes, update->size);
    fuzz_promise(find(whole, size + update->size, &after), "what was written can be read");
    fuzz_promise(after.count == before->count + 1, "there is one signature more");
    fuzz_promise(after.whole >= 1, "it covers the whole file");
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pdf_place place = {1, 10, 10, 50, 20};
    struct pdf_wish wish = {.name = "見本 太郎", .reason = "x", .when = WHEN, .room = ROOM};
    struct pdf_update update = {0};
    struct found before;
    struct pdf pdf;
    if (size < 2)
        return 0;
    wish.place = (data[0] & VISIBLE) != 0 ? &place : NULL;
    wish.profile = (data[0] & MOJ) != 0 ? PDF_MOJ : PDF_PADES;
    if (!find(++data, --size, &before))
        return 0;
    if (pdf_open(&pdf, data, size) && pdf_prepare(&pdf, &wish, &update)) {
        fuzz_promise(pdf_fill(&update, cms, sizeof cms), "there is room");
        check_signed(data, size, &update, &before);
    }
    pdf_close(&pdf);
    pdf_update_free(&update);
    return 0;
}
