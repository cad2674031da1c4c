! SPDX-License-Identifier: MIT
!> Keyfiles: text to a list of keywords, each with its values and the place where it stands.
module fennix_keyfile
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_strings, only : append, lower, string_type
   implicit none
   private
   public :: entry_type, parse_keyfile, last_entry

   !> One keyword as the user gave it
   type :: entry_type
      !> Lower case
      character(len=:), allocatable :: keyword
      !> Words after it, quotes and comment removed
      type(string_type), allocatable :: value(:)
      !> "water.key, line 7" or "command line"
      character(len=:), allocatable :: place
   end type entry_type

contains


!> All keywords of a text, in its order
subroutine parse_keyfile(entries, text, source, error)
   type(entry_type), allocatable, intent(out) :: entries(:)
   !> Lines ended by line feeds
   character(len=*), intent(in) :: text
   !> Name of the file, for messages
   character(len=*), intent(in) :: source
   type(error_type), allocatable, intent(out) :: error
   type(entry_type) :: entry
   type(string_type), allocatable :: words(:)
   integer :: begin, length, line

   allocate(entries(0))
   begin = 1
   if (index(text, byte_order_mark()) == 1) begin = 4
   line = 0
   do while (begin <= len(text))
      length = index(text(begin:), new_line("a")) - 1
      if (length < 0) length = len(text) - begin + 1
      line = line + 1
      entry%place = source // ", line " // to_text(line)
      call split_line(text(begin:begin + length - 1), entry%place, words, error)
      if (allocated(error)) return
      begin = begin + length + 1
      if (size(words) == 0) cycle
      entry%keyword = lower(words(1)%text)
      entry%value = words(2:)
      entries = [entries, entry]
   end do
end subroutine parse_keyfile


!> Index of the last entry with this keyword, 0 when there is none
pure function last_entry(entries, keyword)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   integer :: last_entry

   do last_entry = size(entries), 1, -1
      if (entries(last_entry)%keyword == keyword) return
   end do
end function last_entry


!> Words of one line; quotes keep blanks together, '#' at the beginning of a word starts a comment
pure subroutine split_line(line, place, words, error)
   character(len=*), intent(in) :: line
   character(len=*), intent(in) :: place
   type(string_type), allocatable, intent(out) :: words(:)
   type(error_type), allocatable, intent(out) :: error
   character(len=*), parameter :: blanks = " " // achar(9) // achar(13)
   integer :: begin, last, skip

   allocate(words(0))
   last = 0
   do
      skip = verify(line(last + 1:), blanks)
      if (skip == 0) return
      begin = last + skip
      select case (line(begin:begin))
      case ("#")
         return
      case ("'", '"')
         last = begin + index(line(begin + 1:), line(begin:begin))
         if (last == begin) then
            call fatal_error(error, place // ": the quote " // line(begin:begin) // " is not closed")
            return
         end if
         call append(words, line(begin + 1:last - 1))
      case default
         last = scan(line(begin:), blanks)
         last = merge(len(line), begin + last - 2, last == 0)
         call append(words, line(begin:last))
      end select
   end do
end subroutine split_line


!> What some editors write before the first line of a UTF-8 text
pure function byte_order_mark()
   character(len=3) :: byte_order_mark

   byte_order_mark = char(239) // char(187) // char(191)
end function byte_order_mark

end module fennix_keyfile
