/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jpki-tool verify FILE, of a PDF: each of its signatures, and what it covers. */
#include "signature/verify.h"
#include "output_file.h"
#include "pdf/map.h"
#include "pdf/pdf.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct judgement {
    struct verification *verification;
    enum exit_code worst;
    unsigned count;
};

/* Takes so many digits. */
static bool take_digits(const char **at, int count, int *number)
{
    *number = 0;
    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *number = *number * 10 + **at - '0';
    }
    return true;
}

/* D:20261127123456+09'00'. Without a zone it is unknown, and UTC is taken. */
static bool read_date(const char *date, int64_t *seconds)
{
    struct tm time = {0};
    int hours = 0, minutes = 0;
    const char *at = date + 2;
    if (strncmp(date, "D:", 2) != 0 || !take_digits(&at, 4, &time.tm_year) ||
        !take_digits(&at, 2, &time.tm_mon) || !take_digits(&at, 2, &time.tm_mday) ||
        !take_digits(&at, 2, &time.tm_hour) || !take_digits(&at, 2, &time.tm_min) ||
        !take_digits(&at, 2, &time.tm_sec))
        return false;
    char sign = *at;
    if (sign == '+' || sign == '-') {
        at++;
        if (!take_digits(&at, 2, &hours))
            return false;
        if (*at++ == '\'')
            (void)take_digits(&at, 2, &minutes);
    }
    time.tm_year -= 1900;
    time.tm_mon--;
    int offset = (hours * 60 + minutes) * 60;
    *seconds = timegm(&time) - (sign == '-' ? -offset : offset);
    return true;
}

/* ---- One signature ---------------------------------------------------------------------- */

/* The CMS as a file without a name, as cms_read() wants it. */
static enum exit_code open_cms(const struct pdf_signature *signature, const char *path,
                               struct input_file *input)
{
    int file = memfd_create("cms", MFD_CLOEXEC);
    *input = (struct input_file){
        .path = path, .file = file, .size = (off_t)signature->cms_length, .spool = -1};
    if (file >= 0 && write_all(file, signature->cms, signature->cms_length) &&
        lseek(file, 0, SEEK_SET) == 0)
        return EXIT_OK;
    complain(TEXT(spool_failed), system_error_text(errno));
    return EXIT_FAILED;
}

/* The hashes take an int for a length. */
static bool hash_parts(BIO *hashes, const struct pdf_signature *signature)
{
    enum { PIECE = 1 << 20 };
    for (int i = 0; i < 2; i++) {
        struct jpki_field part = signature->parts[i];
        for (size_t at = 0; at < part.length; at += PIECE) {
            int length = part.length - at < PIECE ? (int)(part.length - at) : PIECE;
            if (BIO_write(hashes, part.data + at, length) != length)
                return false;
        }
    }
    return true;
}

static enum exit_code judge(struct verification *verification,
                            const struct pdf_signature *signature)
{
    struct input_file input;
    struct cms cms = {0};
    enum exit_code code = open_cms(signature, verification->file.path, &input);
    if (code == EXIT_OK)
        code = cms_read(&input, verification->trust.library, NULL, &cms);
    if (cms.malformed)
        code = say_no_signature(verification->file.path);
    else if (code == EXIT_OK && (cms.has_content || !hash_parts(cms.hashes, signature)))
        verification->problem = TEXT(pdf_bad_hole);
    if (code == EXIT_OK)
        code = judge_cms(verification, &cms, verification->file.path);
    input_close(&input);
    cms_free(&cms);
    ERR_clear_error();
    return code;
}

/* ---- All of them ------------------------------------------------------------------------ */

static void put_cover(FILE *out, const struct pdf_signature *signature)
{
    static const struct text texts[] = {
        [PDF_NOTHING_LATER] = BOTH(pdf_covers_all),
        [PDF_SIGNED_LATER] = BOTH(pdf_covers_before_signatures),
        [PDF_SHOWN_LATER] = BOTH(pdf_covers_before_shown),
        [PDF_CHANGED_LATER] = BOTH(pdf_covers_before_changes),
    };
    put_text(out, 0, 0, TEXT(pdf_signature), signature->field);
    if (signature->reason[0] != '\0')
        put_item_on(out, TEXT(pdf_reason), PLAIN, "%s", signature->reason);
    if (signature->page > 0)
        put_item_on(out, TEXT(pdf_seen), PLAIN, TEXT(pdf_seen_at), signature->page,
                    signature->rectangle[0], signature->rectangle[1], signature->rectangle[2],
                    signature->rectangle[3]);
    if (signature->problem == NULL)
        put_item_on(out, TEXT(pdf_cover), signature->later == PDF_CHANGED_LATER ? RED : PLAIN, "%s",
                    text_of(&texts[signature->later]));
}

static bool visit(void *context, const struct pdf_signature *signature)
{
    struct judgement *judgement = context;
    struct verification *verification = judgement->verification;
    enum exit_code code;
    if (judgement->count++ > 0)
        (void)fputc('\n', verification->out);
    put_cover(verification->out, signature);
    verification->has_time = read_date(signature->date, &verification->time);
    verification->problem = signature->problem;
    if (signature->later == PDF_CHANGED_LATER)
        verification->problem = TEXT(pdf_changed);
    if (signature->problem != NULL)
        code = say_verdict(verification->out, &verification->trust,
                           &(struct signature_facts){.problem = signature->problem});
    else
        code = judge(verification, signature);
    judgement->worst = worse_of(judgement->worst, code);
    return true;
}

enum exit_code verify_pdf(struct verification *verification)
{
    struct judgement judgement = {.verification = verification};
    struct pdf_map map;
    struct pdf pdf = {0};
    if (has_option(verification->tool, OPTION_OUTPUT)) {
        complain(TEXT(verify_output_inside));
        return EXIT_USAGE;
    }
    enum exit_code code = pdf_map(&verification->file, &map);
    if (code == EXIT_OK && (!pdf_open(&pdf, map.bytes.data, map.bytes.length) ||
                            !pdf_each_signature(&pdf, visit, &judgement))) {
        complain("%s: %s", verification->file.path, pdf.problem);
        code = EXIT_FAILED;
    }
    if (code == EXIT_OK)
        code = judgement.count > 0 ? judgement.worst : say_unsigned(verification->file.path);
    pdf_close(&pdf);
    pdf_unmap(&map);
    return code;
}
