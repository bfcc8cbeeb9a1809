/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the options of sign --xml make of a signature. */
#pragma once

#include "signature/input_file.h"
#include "xml/files.h"
#include "xml/signature.h"

/* The form that is asked for; a detached signature takes any file, the others XML. */
enum exit_code xml_choose_form(const struct tool *tool, struct xml_signature *signature);

/* The rest, for this document. Complains where an option is wrong, or something that is named is
 * not there, or there twice. */
enum exit_code xml_choose(const struct tool *tool, const struct xml_document *document,
                          const struct xml_files *files, struct xml_signature *signature);

/* Says why a document cannot be used; one that is too large may be NULL. */
enum exit_code xml_refused(const char *name, const struct xml_document *document,
                           enum xml_problem problem);

/* All of a document; of one that is too large, if that is not known at once, more than
 * XML_BYTES_MAX. */
enum exit_code xml_read_input(struct input_file *input, struct jpki_buffer *bytes);
