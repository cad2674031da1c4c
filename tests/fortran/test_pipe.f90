! SPDX-License-Identifier: MIT
!> Values through a row of bytes: each kind and the settings come back as they went in, a short row is noticed.
module test_pipe
   use, intrinsic :: ieee_arithmetic, only : ieee_negative_zero, ieee_quiet_nan, ieee_value
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type
   use fennix_pipe, only : get_packed, new_reader, new_writer, pass, pass_fixed, pipe_type
   use fennix_settings, only : job_rerun, settings_type
   use fennix_share_settings, only : pass_settings
   use fennix_strings, only : string_type
   use test_runner, only : check
   implicit none
   private
   public :: test_pipe_numbers, test_pipe_arrays, test_pipe_texts, test_pipe_nothing, test_pipe_growth
   public :: test_pipe_exhausted, test_pipe_settings, test_pipe_default_settings

   !> One of each kind
   type :: sample_type
      logical :: yes = .false., no = .true.
      integer :: whole = 0
      integer(i8) :: long = 0
      real(dp) :: real = 0.0_dp, fixed(3) = 0.0_dp
      integer, allocatable :: wholes(:)
      real(dp), allocatable :: reals(:), reals2(:, :)
      character(len=:), allocatable :: text
      type(string_type), allocatable :: strings(:)
   end type sample_type

contains


!> Scalars and fixed arrays, the extremes of their kinds among them, bit for bit
subroutine test_pipe_numbers(error)
   type(error_type), allocatable, intent(out) :: error
   type(sample_type) :: one, other

   one = sample_type(yes=.true., no=.false., whole=-huge(1) - 1, long=-huge(1_i8), real=0.1_dp)
   one%fixed = [ieee_value(1.0_dp, ieee_quiet_nan), ieee_value(1.0_dp, ieee_negative_zero), tiny(1.0_dp)/3.0_dp]
   call through(one, other)
   call check(error, other%yes .and. .not. other%no, "logical")
   call check(error, other%whole == one%whole, "integer")
   call check(error, other%long == one%long, "integer(i8)")
   call check(error, transfer(other%real, 0_i8) == transfer(one%real, 0_i8), "real(dp)")
   call check(error, all(transfer(other%fixed, [0_i8]) == transfer(one%fixed, [0_i8])), "NaN, -0 and a subnormal")
end subroutine test_pipe_numbers


!> Allocatable arrays, with elements and empty, counted from 1 again
subroutine test_pipe_arrays(error)
   type(error_type), allocatable, intent(out) :: error
   type(sample_type) :: one, other, empty
   integer :: k

   one%wholes = [3_i4, -1_i4, huge(1_i4)]
   allocate(one%reals(-1:1), one%reals2(0:2, 5:6))
   one%reals = [1.0_dp/3.0_dp, ieee_value(1.0_dp, ieee_negative_zero), -huge(1.0_dp)]
   one%reals2 = reshape([(sqrt(real(k, dp)), k=1, 6)], [3, 2])
   call through(one, other)
   call check(error, same_shape(shape(other%wholes), [3]) .and. lbound(other%reals, 1) == 1, "shape of vectors")
   call check(error, same_shape(shape(other%reals2), [3, 2]), "shape of a matrix")
   if (allocated(error)) return
   call check(error, all(other%wholes == one%wholes), "integer(:)")
   call check(error, all(transfer(other%reals, [0_i8]) == transfer(one%reals, [0_i8])), "real(dp)(:)")
   call check(error, all(transfer(other%reals2, [0_i8]) == transfer(one%reals2, [0_i8])), "real(dp)(:, :)")

   allocate(empty%wholes(0), empty%reals(0), empty%reals2(3, 0), empty%strings(0))
   call through(empty, other)
   call check(error, allocated(other%wholes) .and. allocated(other%reals) .and. allocated(other%reals2) .and. &
      & allocated(other%strings), "an empty array was lost")
   if (allocated(error)) return
   call check(error, size(other%wholes) == 0 .and. size(other%reals) == 0 .and. size(other%strings) == 0, "empty")
   call check(error, same_shape(shape(other%reals2), [3, 0]), "shape of an empty matrix")
   deallocate(empty%reals2)
   allocate(empty%reals2(0, 100000))
   call through(empty, other)
   call check(error, same_shape(shape(other%reals2), [0, 100000]), "shape of a wide empty matrix")
end subroutine test_pipe_arrays


!> Texts of several lines, with blanks at the end, empty and not there, alone and in a list
subroutine test_pipe_texts(error)
   type(error_type), allocatable, intent(out) :: error
   type(sample_type) :: one, other
   character(len=*), parameter :: lines = "a-axis 18.643" // new_line("a") // "# Å" // achar(0) // new_line("a") // "  "

   one%text = lines
   allocate(one%strings(2:5))
   one%strings(2)%text = lines
   one%strings(3)%text = ""
   one%strings(5)%text = "O"
   call through(one, other)
   call check(error, same_text(other%text, lines), "text")
   call check(error, allocated(other%strings), "the list of texts was lost")
   if (allocated(error)) return
   call check(error, size(other%strings) == 4 .and. lbound(other%strings, 1) == 1, "size of the list of texts")
   if (allocated(error)) return
   call check(error, same_text(other%strings(1)%text, lines), "text in a list")
   call check(error, same_text(other%strings(2)%text, ""), "empty text in a list")
   call check(error, .not. allocated(other%strings(3)%text), "no text in a list")
   call check(error, same_text(other%strings(4)%text, "O"), "last text of a list")
   one%text = ""
   call through(one, other)
   call check(error, same_text(other%text, ""), "empty text")
end subroutine test_pipe_texts


!> What is not allocated comes back so, even where the receiver had something
subroutine test_pipe_nothing(error)
   type(error_type), allocatable, intent(out) :: error
   type(sample_type) :: nothing, other

   other%text = "old"
   other%wholes = [1, 2]
   other%reals = [1.0_dp]
   allocate(other%reals2(2, 2), other%strings(3))
   call through(nothing, other)
   call check(error, .not. allocated(other%text), "text")
   call check(error, .not. allocated(other%wholes), "integer(:)")
   call check(error, .not. allocated(other%reals), "real(dp)(:)")
   call check(error, .not. allocated(other%reals2), "real(dp)(:, :)")
   call check(error, .not. allocated(other%strings), "strings")
end subroutine test_pipe_nothing


!> A row far longer than it begins, and not a byte more than was written
subroutine test_pipe_growth(error)
   type(error_type), allocatable, intent(out) :: error
   type(pipe_type) :: pipe
   integer(int8), allocatable :: bytes(:)
   character(len=:), allocatable :: text, again
   integer :: k, whole

   text = repeat("ml-model water" // new_line("a"), 10000)
   call new_writer(pipe)
   call get_packed(pipe, bytes)
   call check(error, size(bytes) == 0, "a new row is not empty")
   call pass(pipe, text)
   do k = 1, 5000
      whole = k
      call pass(pipe, whole)
   end do
   call get_packed(pipe, bytes)
   call check(error, size(bytes) == 8 + len(text) + 5000*4, "number of bytes")
   call new_reader(pipe, bytes)
   call check(error, .not. allocated(bytes), "the bytes were not moved")
   call pass(pipe, again)
   call check(error, same_text(again, text), "a long text")
   do k = 1, 5000
      call pass(pipe, whole)
      call check(error, whole == k, "a long row")
   end do
   call check(error, .not. pipe%exhausted .and. pipe%position == size(pipe%bytes), "the row was not read to its end")
end subroutine test_pipe_growth


!> A row cut anywhere is exhausted, and stays so; what it could not give is as it was
subroutine test_pipe_exhausted(error)
   type(error_type), allocatable, intent(out) :: error
   type(pipe_type) :: pipe
   type(sample_type) :: one, other
   integer(int8), allocatable :: whole(:), part(:)
   integer :: n
   integer(i8) :: long

   one%text = "text"
   one%strings = [string_type("a"), string_type("b")]
   one%wholes = [1, 2]
   one%reals = [1.0_dp]
   allocate(one%reals2(1, 1), source=2.0_dp)
   call new_writer(pipe)
   call pass_sample(pipe, one)
   call get_packed(pipe, whole)
   do n = 0, size(whole) - 1
      part = whole(:n)
      other = sample_type()
      call new_reader(pipe, part)
      call pass_sample(pipe, other)
      call check(error, pipe%exhausted, "a cut row went unnoticed")
      call check(error, .not. allocated(other%strings), "half a list was given out")
   end do

   part = whole(:1)
   call new_reader(pipe, part)
   other = sample_type(whole=7, text="kept")
   call pass(pipe, other%whole)
   call pass(pipe, other%text)
   call pass(pipe, other%yes)
   call check(error, pipe%exhausted .and. other%whole == 7 .and. .not. other%yes, "a scalar has changed")
   call check(error, same_text(other%text, "kept"), "a text has changed")

   call new_writer(pipe)
   long = huge(1_i8)
   call pass(pipe, long)
   call get_packed(pipe, part)
   call new_reader(pipe, part)
   call pass(pipe, other%reals)
   call check(error, pipe%exhausted .and. .not. allocated(other%reals), "an impossible size was believed")
   call new_reader(pipe, part)
   call pass(pipe, other%yes)
   call check(error, pipe%exhausted, "no row at all")
end subroutine test_pipe_exhausted


!> Settings far from the defaults come back, and pack to the same bytes again
subroutine test_pipe_settings(error)
   type(error_type), allocatable, intent(out) :: error
   type(settings_type) :: one, other
   character(len=*), parameter :: key_text = "integrator respa" // new_line("a") // new_line("a") // "a-axis 20.0"

   one%job = job_rerun
   one%name = "box/water"
   one%key_file = ""
   one%key_text = key_text
   one%resume = .true.
   one%notes = [string_type("the keyword 'a-axis' is given twice")]
   one%n_steps = 2_i8**40
   one%dt = 0.1_dp/3.0_dp
   one%n_substeps = 4
   one%integrator = "baoabrespa"
   one%two_level = .true.
   one%friction = 0.3_dp
   one%seed = -5
   one%model_accurate = "water"
   one%place_fast = "water.key, line 3"
   one%threads = 8
   one%skin = 2.5_dp
   one%box_given = .true.
   one%box_lengths = [1.1_dp, 2.2_dp, 3.3_dp]
   one%box_angles = [60.0_dp, 70.0_dp, 80.0_dp]
   one%element_name = [string_type("OW"), string_type("HW")]
   one%element_number = [8, 1]
   one%minimize_steps = 7
   one%archive = .false.
   one%digits = 8
   one%verbose = .true.
   call settings_through(one, other, error)
   if (allocated(error)) return
   call check(error, other%job == one%job .and. other%resume .and. other%n_steps == one%n_steps, "job or steps")
   call check(error, same_text(other%name, "box/water") .and. same_text(other%key_file, ""), "names")
   call check(error, same_text(other%key_text, key_text), "text of the keyfile")
   call check(error, .not. allocated(other%structure_file) .and. .not. allocated(other%model_fast), "unallocated")
   call check(error, same_text(other%notes(1)%text, one%notes(1)%text) .and. size(other%notes) == 1, "notes")
   call check(error, abs(other%dt - one%dt) <= 0.0_dp .and. abs(other%skin - one%skin) <= 0.0_dp, "reals")
   call check(error, other%n_substeps == 4 .and. other%two_level .and. abs(other%friction - 0.3_dp) <= 0.0_dp, "levels")
   call check(error, same_text(other%integrator, "baoabrespa") .and. other%seed == -5_i8, "integrator or seed")
   call check(error, same_text(other%model_accurate, "water") .and. other%threads == 8, "models")
   call check(error, same_text(other%place_fast, "water.key, line 3"), "place of the fast model")
   call check(error, other%box_given .and. all(abs(other%box_lengths - one%box_lengths) <= 0.0_dp), "box lengths")
   call check(error, all(abs(other%box_angles - one%box_angles) <= 0.0_dp), "box angles")
   call check(error, same_text(other%element_name(2)%text, "HW") .and. all(other%element_number == [8, 1]), "elements")
   call check(error, other%minimize_steps == 7 .and. .not. other%archive .and. other%h5md, "minimiser or archive")
   call check(error, other%digits == 8 .and. other%verbose, "digits or verbose")
end subroutine test_pipe_settings


!> Settings nobody has touched come back over settings that had values
subroutine test_pipe_default_settings(error)
   type(error_type), allocatable, intent(out) :: error
   type(settings_type) :: one, other

   other%name = "old"
   other%verbose = .true.
   other%element_number = [1]
   call settings_through(one, other, error)
   call check(error, .not. allocated(other%name) .and. .not. allocated(other%element_number), "unallocated")
   call check(error, .not. other%verbose, "verbose")
end subroutine test_pipe_default_settings


!> Pack one sample and unpack another
subroutine through(one, other)
   type(sample_type), intent(inout) :: one, other
   type(pipe_type) :: pipe
   integer(int8), allocatable :: bytes(:)

   call new_writer(pipe)
   call pass_sample(pipe, one)
   call get_packed(pipe, bytes)
   call new_reader(pipe, bytes)
   call pass_sample(pipe, other)
end subroutine through


subroutine pass_sample(pipe, sample)
   type(pipe_type), intent(inout) :: pipe
   type(sample_type), intent(inout) :: sample

   call pass(pipe, sample%yes)
   call pass(pipe, sample%no)
   call pass(pipe, sample%whole)
   call pass(pipe, sample%long)
   call pass(pipe, sample%real)
   call pass_fixed(pipe, sample%fixed)
   call pass(pipe, sample%wholes)
   call pass(pipe, sample%reals)
   call pass(pipe, sample%reals2)
   call pass(pipe, sample%text)
   call pass(pipe, sample%strings)
end subroutine pass_sample


!> Pack settings, unpack others, and pack those: the row is read to its end and both rows are the same
subroutine settings_through(one, other, error)
   type(settings_type), intent(inout) :: one, other
   type(error_type), allocatable, intent(out) :: error
   type(pipe_type) :: pipe
   integer(int8), allocatable :: bytes(:), again(:)

   call new_writer(pipe)
   call pass_settings(pipe, one)
   call get_packed(pipe, bytes)
   again = bytes
   call new_reader(pipe, again)
   call pass_settings(pipe, other)
   call check(error, .not. pipe%exhausted .and. pipe%position == size(bytes), "the row was not read to its end")
   call new_writer(pipe)
   call pass_settings(pipe, other)
   call get_packed(pipe, again)
   call check(error, size(again) == size(bytes), "the settings have another length when packed again")
   if (.not. allocated(error)) call check(error, all(again == bytes), "the settings differ when packed again")
end subroutine settings_through


!> The text is there and is the expected one, blanks at the end included
pure function same_text(text, expected)
   character(len=:), allocatable, intent(in) :: text
   character(len=*), intent(in) :: expected
   logical :: same_text

   same_text = .false.
   if (allocated(text)) same_text = len(text) == len(expected) .and. text == expected
end function same_text


pure function same_shape(found, expected)
   integer, intent(in) :: found(:), expected(:)
   logical :: same_shape

   same_shape = all(found == expected)
end function same_shape

end module test_pipe
