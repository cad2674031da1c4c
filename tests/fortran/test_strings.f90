! SPDX-License-Identifier: MIT
!> Words, numbers in words, and the closest spelling.
module test_strings
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type
   use fennix_strings, only : join, lower, nearest_word, split, string_type, to_integer, to_real
   use test_runner, only : check
   implicit none
   private
   public :: test_strings_split, test_strings_reals, test_strings_integers, test_strings_nearest

contains


!> Blanks, tabs and carriage returns separate
subroutine test_strings_split(error)
   type(error_type), allocatable, intent(out) :: error
   type(string_type), allocatable :: words(:)

   call split("  one" // achar(9) // "two   three" // achar(13), words)
   call check(error, size(words) == 3, "expected three words")
   call check(error, join(words, "+") == "one+two+three", "wrong words: " // join(words, "+"))
   call split("   ", words)
   call check(error, size(words) == 0, "a blank text has no words")
   call split("x", words)
   call check(error, size(words) == 1, "one letter is a word")
   call check(error, lower("BAOAB-Respa Å") == "baoab-respa Å", "lower case")
end subroutine test_strings_split


!> Fortran's and C's numbers, nothing else
subroutine test_strings_reals(error)
   type(error_type), allocatable, intent(out) :: error
   character(len=7), parameter :: good(8) = [character(len=7) :: "1", "-2.5", ".5", "5.", "1e-3", "1D-3", "+7", "2E+2"]
   real(dp), parameter :: values(8) = [1.0_dp, -2.5_dp, 0.5_dp, 5.0_dp, 1.0e-3_dp, 1.0e-3_dp, 7.0_dp, 200.0_dp]
   character(len=7), parameter :: bad(13) = [character(len=7) :: "", "abc", "nan", "inf", "1e999", "3*5", "1,2", "1e", &
      & "--1", "1.2.3", ".", "1/", "******"]
   real(dp) :: value
   logical :: ok
   integer :: k

   do k = 1, size(good)
      call to_real(trim(good(k)), value, ok)
      call check(error, ok .and. abs(value - values(k)) <= spacing(values(k)), "should be a number: " // good(k))
   end do
   do k = 1, size(bad)
      call to_real(trim(bad(k)), value, ok)
      call check(error, .not. ok, "should be no number: " // bad(k))
   end do
end subroutine test_strings_reals


!> Whole numbers within 64 bits
subroutine test_strings_integers(error)
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: value
   logical :: ok

   call to_integer("-9007199254740993", value, ok)
   call check(error, ok .and. value == -9007199254740993_i8, "sixteen digits")
   call to_integer("1.0", value, ok)
   call check(error, .not. ok, "1.0 is not written as a whole number")
   call to_integer("99999999999999999999", value, ok)
   call check(error, .not. ok, "more than 64 bits")
   call to_integer("12x", value, ok)
   call check(error, .not. ok, "letters")
end subroutine test_strings_integers


!> One letter left out, doubled, replaced or swapped is recognised; another word is not
subroutine test_strings_nearest(error)
   type(error_type), allocatable, intent(out) :: error
   type(string_type), allocatable :: words(:)

   call split("friction steps dshort integrator ensemble", words)
   call check(error, nearest_word("frictoin", words) == "friction", "swapped letters")
   call check(error, nearest_word("INTEGRATR", words) == "integrator", "a letter left out, upper case")
   call check(error, nearest_word("dshhort", words) == "dshort", "a doubled letter")
   call check(error, nearest_word("stepz", words) == "steps", "a replaced letter")
   call check(error, nearest_word("pressure", words) == "", "another word: " // nearest_word("pressure", words))
end subroutine test_strings_nearest

end module test_strings
