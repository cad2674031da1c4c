! SPDX-License-Identifier: MIT
!> Text: a string that may stand in an array, words, numbers in words, closest spelling.
module fennix_strings
   use, intrinsic :: ieee_arithmetic, only : ieee_is_finite
   use fennix_kinds, only : dp, i8
   implicit none
   private
   public :: string_type, append, lower, split, join, nearest_word, to_real, to_integer, is_letter

   !> One text of any length
   type :: string_type
      !> The characters
      character(len=:), allocatable :: text
   end type string_type

   character(len=*), parameter :: upper_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
   character(len=*), parameter :: lower_letters = "abcdefghijklmnopqrstuvwxyz"
   !> Tabs and carriage returns separate words as blanks do
   character(len=*), parameter :: blanks = " " // achar(9) // achar(13)

contains


!> The text in lower case
elemental function lower(text)
   character(len=*), intent(in) :: text
   character(len=len(text)) :: lower
   integer :: i, k

   lower = text
   do i = 1, len(text)
      k = index(upper_letters, text(i:i))
      if (k > 0) lower(i:i) = lower_letters(k:k)
   end do
end function lower


!> True for A-Z and a-z
elemental function is_letter(letter)
   character(len=1), intent(in) :: letter
   logical :: is_letter

   is_letter = index(upper_letters // lower_letters, letter) > 0
end function is_letter


!> Add a text at the end of a list
pure subroutine append(list, text)
   type(string_type), allocatable, intent(inout) :: list(:)
   character(len=*), intent(in) :: text
   type(string_type), allocatable :: longer(:)
   integer :: k

   allocate(longer(size(list) + 1))
   do k = 1, size(list)
      call move_alloc(list(k)%text, longer(k)%text)
   end do
   longer(size(longer))%text = text
   call move_alloc(longer, list)
end subroutine append


!> Words separated by blanks and tabs
pure subroutine split(text, words)
   character(len=*), intent(in) :: text
   !> The words, size 0 when the text is blank
   type(string_type), allocatable, intent(out) :: words(:)
   integer :: begin, last, n, pass

   do pass = 1, 2
      n = 0
      last = 0
      do
         begin = verify(text(last + 1:), blanks)
         if (begin == 0) exit
         begin = begin + last
         last = scan(text(begin:), blanks)
         last = merge(len(text), begin + last - 2, last == 0)
         n = n + 1
         if (pass == 2) words(n)%text = text(begin:last)
      end do
      if (pass == 1) allocate(words(n))
   end do
end subroutine split


!> Words in one text, with a separator between them
pure function join(words, separator) result(text)
   type(string_type), intent(in) :: words(:)
   character(len=*), intent(in) :: separator
   character(len=:), allocatable :: text
   integer :: i

   text = ""
   do i = 1, size(words)
      if (i > 1) text = text // separator
      text = text // words(i)%text
   end do
end function join


!> The closest of the candidates, empty when none is close (one change in three letters at most)
pure function nearest_word(word, candidates) result(found)
   character(len=*), intent(in) :: word
   type(string_type), intent(in) :: candidates(:)
   character(len=:), allocatable :: found
   integer :: i, best, changes

   found = ""
   best = max(1, len(word)/3) + 1
   do i = 1, size(candidates)
      changes = distance(lower(word), lower(candidates(i)%text))
      if (changes < best) then
         best = changes
         found = candidates(i)%text
      end if
   end do
end function nearest_word


!> Damerau-Levenshtein distance: letters inserted, dropped, replaced or swapped with their neighbour
pure function distance(a, b)
   character(len=*), intent(in) :: a, b
   integer :: distance
   integer :: cost(-1:len(a), -1:len(b)), i, j

   cost = len(a) + len(b) + 1
   cost(0:, 0) = [(i, i=0, len(a))]
   cost(0, 0:) = [(j, j=0, len(b))]
   do j = 1, len(b)
      do i = 1, len(a)
         cost(i, j) = min(cost(i - 1, j) + 1, cost(i, j - 1) + 1, cost(i - 1, j - 1) + merge(0, 1, a(i:i) == b(j:j)))
         if (a(i:i) /= b(max(j - 1, 1):max(j - 1, 1)) .or. a(max(i - 1, 1):max(i - 1, 1)) /= b(j:j)) cycle
         cost(i, j) = min(cost(i, j), cost(i - 2, j - 2) + 1)
      end do
   end do
   distance = cost(len(a), len(b))
end function distance


!> A finite number in Fortran's or C's manner (1, .5, 1e-3, 1d-3); nothing else may stand in the word
pure subroutine to_real(word, value, ok)
   character(len=*), intent(in) :: word
   !> The number, zero when not ok
   real(dp), intent(out) :: value
   logical, intent(out) :: ok
   integer :: status, exponent, digits

   value = 0.0_dp
   exponent = scan(word, "eEdD")
   digits = merge(len(word), exponent - 1, exponent == 0)
   ok = is_decimal(word(1:digits), point_allowed=.true.)
   if (ok .and. exponent > 0) ok = is_decimal(word(exponent + 1:), point_allowed=.false.)
   if (.not. ok) return
   read(word, *, iostat=status) value
   ok = status == 0 .and. ieee_is_finite(value)
   if (.not. ok) value = 0.0_dp
end subroutine to_real


!> A whole number; nothing else may stand in the word
pure subroutine to_integer(word, value, ok)
   character(len=*), intent(in) :: word
   !> The number, zero when not ok
   integer(i8), intent(out) :: value
   logical, intent(out) :: ok
   integer :: status

   value = 0
   ok = is_decimal(word, point_allowed=.false.)
   if (.not. ok) return
   read(word, *, iostat=status) value
   ok = status == 0
   if (.not. ok) value = 0
end subroutine to_integer


!> A sign or none, then digits with at most one point
pure function is_decimal(word, point_allowed)
   character(len=*), intent(in) :: word
   logical, intent(in) :: point_allowed
   logical :: is_decimal
   integer :: i, n_digits, n_points

   n_digits = 0
   n_points = 0
   is_decimal = .false.
   do i = 1, len(word)
      select case (word(i:i))
      case ("0":"9")
         n_digits = n_digits + 1
      case (".")
         n_points = n_points + 1
      case ("+", "-")
         if (i > 1) return
      case default
         return
      end select
   end do
   is_decimal = n_digits > 0 .and. n_points <= merge(1, 0, point_allowed)
end function is_decimal

end module fennix_strings
