! SPDX-License-Identifier: MIT
!> Values of keywords: found among the entries, checked against the keyword table, one sentence when they do not fit.
module fennix_values
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_keyfile, only : entry_type, last_entry
   use fennix_keywords, only : find_keyword, keyword_table, keyword_type, kind_integer, kind_number
   use fennix_strings, only : join, lower, nearest_word, string_type, to_integer, to_real
   implicit none
   private
   public :: get_number, get_integer, get_count, get_switch, get_choice, get_text, is_given, about, choose_word

contains


!> True when the keyword was given
pure function is_given(entries, keyword)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   logical :: is_given

   is_given = last_entry(entries, keyword) > 0
end function is_given


!> "water.key, line 7: keyword 'friction'", the beginning of a message
pure function about(entries, keyword) result(text)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   character(len=:), allocatable :: text
   integer :: k

   k = last_entry(entries, keyword)
   text = "keyword '" // keyword // "'"
   if (k > 0) text = entries(k)%place // ": " // text
end function about


!> A number; left as it is when the keyword was not given
subroutine get_number(entries, keyword, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   real(dp), intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error
   type(keyword_type), allocatable :: table(:)
   character(len=:), allocatable :: word
   real(dp) :: number
   logical :: ok
   integer :: row

   call get_text(entries, keyword, word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   allocate(table, source=keyword_table())
   row = find_keyword(table, keyword)
   call to_real(word, number, ok)
   if (ok) ok = in_range(number, table(row)%rule)
   if (.not. ok) then
      call fatal_error(error, about(entries, keyword) // " expects " // expected(table(row)) // ", got '" // &
         & word // "'")
      return
   end if
   value = number
end subroutine get_number


!> A whole number; left as it is when the keyword was not given
subroutine get_integer(entries, keyword, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   integer(i8), intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error
   type(keyword_type), allocatable :: table(:)
   character(len=:), allocatable :: word
   integer(i8) :: number
   logical :: ok
   integer :: row

   call get_text(entries, keyword, word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   allocate(table, source=keyword_table())
   row = find_keyword(table, keyword)
   call to_integer(word, number, ok)
   if (ok) ok = in_range(real(number, dp), table(row)%rule)
   if (.not. ok) then
      call fatal_error(error, about(entries, keyword) // " expects " // expected(table(row)) // ", got '" // &
         & word // "'")
      return
   end if
   value = number
end subroutine get_integer


!> A whole number of default kind; left as it is when the keyword was not given
subroutine get_count(entries, keyword, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   integer, intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: number

   number = value
   call get_integer(entries, keyword, number, error)
   if (allocated(error)) return
   if (abs(number) > huge(value)) then
      call fatal_error(error, about(entries, keyword) // " expects a number up to " // to_text(huge(value)) // &
         & ", got '" // to_text(number) // "'")
      return
   end if
   value = int(number)
end subroutine get_count


!> on or off; a switch without a value is on; left as it is when the keyword was not given
subroutine get_switch(entries, keyword, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   logical, intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   k = last_entry(entries, keyword)
   if (k == 0) return
   value = .true.
   if (size(entries(k)%value) == 0) return
   select case (lower(join(entries(k)%value, " ")))
   case ("on", "yes", "true")
      continue
   case ("off", "no", "false")
      value = .false.
   case default
      call fatal_error(error, about(entries, keyword) // " expects on or off, got '" // &
         & join(entries(k)%value, " ") // "'")
   end select
end subroutine get_switch


!> One of some words, returned in lower case; left as it is when the keyword was not given
subroutine get_choice(entries, keyword, choices, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   !> Allowed words in lower case
   character(len=*), intent(in) :: choices(:)
   character(len=:), allocatable, intent(inout) :: value
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: word

   call get_text(entries, keyword, word, error)
   if (allocated(error) .or. .not. allocated(word)) return
   call choose_word(about(entries, keyword), lower(word), choices, error)
   if (.not. allocated(error)) value = lower(word)
end subroutine get_choice


!> Check that a word is one of some; otherwise say which there are, and the closest
subroutine choose_word(beginning, word, choices, error)
   !> Beginning of the message
   character(len=*), intent(in) :: beginning
   character(len=*), intent(in) :: word
   character(len=*), intent(in) :: choices(:)
   type(error_type), allocatable, intent(out) :: error
   type(string_type) :: candidates(size(choices))
   character(len=:), allocatable :: message, close_one
   integer :: k

   if (any(choices == word)) return
   do k = 1, size(choices)
      candidates(k)%text = trim(choices(k))
   end do
   message = beginning // " expects " // join(candidates(:size(choices) - 1), ", ")
   if (size(choices) > 1) message = message // " or "
   message = message // candidates(size(choices))%text // ", got '" // word // "'"
   close_one = nearest_word(word, candidates)
   if (len(close_one) > 0) message = message // "; did you mean '" // close_one // "'?"
   call fatal_error(error, message)
end subroutine choose_word


!> The one word after a keyword, not allocated when the keyword was not given
subroutine get_text(entries, keyword, value, error)
   type(entry_type), intent(in) :: entries(:)
   character(len=*), intent(in) :: keyword
   character(len=:), allocatable, intent(out) :: value
   type(error_type), allocatable, intent(out) :: error
   type(keyword_type), allocatable :: table(:)
   character(len=:), allocatable :: what
   integer :: k

   k = last_entry(entries, keyword)
   if (k == 0) return
   if (size(entries(k)%value) == 1) then
      value = entries(k)%value(1)%text
      if (len(value) > 0) return
   end if
   allocate(table, source=keyword_table())
   what = about(entries, keyword) // " expects " // expected(table(find_keyword(table, keyword)))
   if (size(entries(k)%value) > 1) then
      call fatal_error(error, what // ", got '" // join(entries(k)%value, " ") // "'; comments begin with #")
   else
      call fatal_error(error, what // " after it, got nothing")
   end if
end subroutine get_text


!> "a positive number in 1/ps", "a whole number >= 0", for messages
pure function expected(keyword) result(text)
   type(keyword_type), intent(in) :: keyword
   character(len=:), allocatable :: text
   logical :: whole

   whole = keyword%kind == kind_integer
   if (.not. whole .and. keyword%kind /= kind_number) then
      text = "one word"
      if (len_trim(keyword%rule) > 0) text = text // " (" // trim(keyword%rule) // ")"
      return
   end if
   text = trim(merge("whole number", "number      ", whole))
   select case (keyword%rule)
   case ("> 0")
      text = "a positive " // text
   case (">= 0")
      text = "a " // text // " that is zero or positive"
   case ("> 0 and < 180")
      text = "a " // text // " between 0 and 180"
   case ("6 | 8")
      text = "6 or 8"
   case default
      text = "a " // text
   end select
   if (len_trim(keyword%unit) > 0 .and. .not. whole) text = text // " in " // trim(keyword%unit)
end function expected


!> A number against the rule of the keyword table
pure function in_range(number, rule)
   real(dp), intent(in) :: number
   character(len=*), intent(in) :: rule
   logical :: in_range

   select case (rule)
   case ("> 0")
      in_range = number > 0.0_dp
   case (">= 0")
      in_range = number >= 0.0_dp
   case ("> 0 and < 180")
      in_range = number > 0.0_dp .and. number < 180.0_dp
   case ("6 | 8")
      in_range = nint(number) == 6 .or. nint(number) == 8
   case default
      in_range = .true.
   end select
end function in_range

end module fennix_values
