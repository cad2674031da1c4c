! SPDX-License-Identifier: MIT
!> The text of keyfiles: words, quotes, comments, line numbers.
module test_keyfile
   use fennix_error, only : error_type
   use fennix_strings, only : join, string_type
   use fennix_keyfile, only : entry_type, last_entry, parse_keyfile
   use fennix_keywords, only : keyword_names, keyword_table_text
   use fennix_tinker_keywords, only : is_meaningless, refusal_of
   use input_samples, only : lines
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_keyfile_words, test_keyfile_last_wins, test_keyfile_quotes, test_keyfile_classes, test_keyfile_table

contains


!> Comments, blank lines, tabs, case, carriage returns, a byte order mark, a last line without end
subroutine test_keyfile_words(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(entry_type), allocatable :: entries(:)
   character(len=*), parameter :: mark = char(239) // char(187) // char(191)

   call parse_keyfile(entries, mark // lines("# a comment||A-Axis" // achar(9) // "18.6   # trailing" // achar(13)) // &
      & "ml-model dir/model#2.fnx", "box.key", raised)
   call check(error, .not. allocated(raised) .and. size(entries) == 2, "expected two keywords")
   if (allocated(error)) return
   call check(error, entries(1)%keyword == "a-axis", "first keyword: " // entries(1)%keyword)
   call check(error, join(entries(1)%value, "+") == "18.6", "first value: " // join(entries(1)%value, "+"))
   call check(error, entries(1)%place == "box.key, line 3", "place: " // entries(1)%place)
   call check(error, entries(2)%value(1)%text == "dir/model#2.fnx", "a # within a word is no comment")
end subroutine test_keyfile_words


!> The last of repeated keywords is found
subroutine test_keyfile_last_wins(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(entry_type), allocatable :: entries(:)

   call parse_keyfile(entries, lines("friction 1|steps 5|FRICTION 2"), "a.key", raised)
   call check(error, last_entry(entries, "friction") == 3, "the last friction is the third keyword")
   call check(error, last_entry(entries, "dump") == 0, "there is no dump")
end subroutine test_keyfile_last_wins


!> Quotes keep blanks; an open one is told with its line
subroutine test_keyfile_quotes(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(entry_type), allocatable :: entries(:)

   call parse_keyfile(entries, lines("ml-model ""my model.fnx"" # c|element C1' C"), "a.key", raised)
   call check(error, .not. allocated(raised), "quotes were refused")
   if (allocated(error)) return
   call check(error, size(entries(1)%value) == 1 .and. entries(1)%value(1)%text == "my model.fnx", "quoted name")
   call check(error, entries(2)%value(1)%text == "C1'", "a prime within a word is no quote")
   call parse_keyfile(entries, lines("steps 1|ml-model 'open"), "a.key", raised)
   call expect_error(error, raised, "a.key, line 2|quote")
end subroutine test_keyfile_quotes


!> Tinker's keywords are ignored or refused, and none of ours is among them
subroutine test_keyfile_classes(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=16), parameter :: ignored(10) = [character(len=16) :: "parameters", "ewald", "ewald-cutoff", &
      & "vdw-cutoff", "polarization", "neighbor-list", "polar-eps", "bondterm", "mpole-list", "multipole"]
   type(string_type), allocatable :: ours(:)
   integer :: k

   do k = 1, size(ignored)
      call check(error, is_meaningless(trim(ignored(k))), "should be ignored: " // ignored(k))
      call check(error, refusal_of(trim(ignored(k))) == "", "should not be refused: " // ignored(k))
   end do
   call check(error, len(refusal_of("restrain-position")) > 0, "restraints cannot be left out silently")
   call check(error, len(refusal_of("rattle")) > 0, "constraints cannot be left out silently")
   allocate(ours, source=keyword_names())
   do k = 1, size(ours)
      call check(error, .not. is_meaningless(ours(k)%text), "ours, but ignored: " // ours(k)%text)
      call check(error, refusal_of(ours(k)%text) == "", "ours, but refused: " // ours(k)%text)
   end do
end subroutine test_keyfile_classes


!> Every keyword of the table stands in the printed one, with unit and default
subroutine test_keyfile_table(error)
   type(error_type), allocatable, intent(out) :: error
   type(string_type), allocatable :: ours(:)
   character(len=:), allocatable :: text
   integer :: k

   text = keyword_table_text()
   allocate(ours, source=keyword_names())
   do k = 1, size(ours)
      call check(error, index(text, ours(k)%text) > 0, "not in the table: " // ours(k)%text)
   end do
   call check(error, index(text, "friction            number >= 0 (1/ps)") > 0, "unit of friction")
end subroutine test_keyfile_table

end module test_keyfile
